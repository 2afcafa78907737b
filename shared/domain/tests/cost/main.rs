mod market;
use domain::offer::Subject;
use market::Market;
#[test]
fn x() {
    for size in [100, 1000, 10000] {
        let m = Market::with(size);
        let s = Subject::of(&m.programme, &m.event.event);
        let mut n = 0;
        let mut h = 0;
        let mut g = 0;
        let mut w = 0;
        m.programme.offers.visit(&s, &mut |_, o| {
            n += 1;
            if o.excludes(&m.programme, &s).is_some() && size == 1000 {
                println!("{:?} {:?}", o.when, o.valid)
            }
            if o.when.asks_lines() {
                g += 1
            }
            if o.when.times.is_some() {
                h += 1
            };
            if o.when.units.is_any() && o.when.merchants.is_any() && o.when.classifications.is_any()
            {
                w += 1
            }
        });
        println!("{size} {n} goods {g} times {h} anyplace {w}");
    }
}
