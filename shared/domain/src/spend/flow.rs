//! Who pays what: payers that may each pay for some classes of lines, and make room for each other.

/// What is open of each class, and who pays it.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    /// Of each class.
    open: Vec<i128>,
    /// Payer by class.
    may: Vec<Vec<bool>>,
    /// Payer by class.
    pays: Vec<Vec<i128>>,
}

/// One step by which room is made: the payer takes the class over from the one of the next step,
/// which turns to a class of its own; the last class is open.
type Step = (usize, usize);

impl Flow {
    /// Classes of which so much is open, and which of them each payer may pay.
    pub fn new(open: Vec<i128>, may: Vec<Vec<bool>>) -> Flow {
        let pays = vec![vec![0; open.len()]; may.len()];
        Flow { open, may, pays }
    }

    /// Lets a payer pay at most so much more, and answers how much it could. Others pay as much as
    /// before, if for other classes: so it is the most that goes with what was paid before.
    pub fn pay(&mut self, payer: usize, most: i128) -> i128 {
        let mut left = most;
        while left > 0 {
            let Some(steps) = self.make_room(payer) else { break };
            let paid = self.follow(&steps, left);
            left -= paid;
        }
        most - left
    }

    /// Shifts as much as goes along the steps.
    fn follow(&mut self, steps: &[Step], most: i128) -> i128 {
        let handed = steps.windows(2).map(|pair| (pair[1].0, pair[0].1));
        let handed: Vec<Step> = handed.collect();
        let last = steps.last().map(|(_, class)| *class);
        let room = last.map_or(0, |class| self.open[class]);
        let held = handed.iter().map(|(payer, class)| self.pays[*payer][*class]);
        let amount = held.fold(most.min(room), i128::min);
        steps.iter().for_each(|(payer, class)| self.pays[*payer][*class] += amount);
        handed.iter().for_each(|(payer, class)| self.pays[*payer][*class] -= amount);
        if let Some(class) = last {
            self.open[class] -= amount;
        }
        amount
    }

    /// The shortest way to room for a payer; none where there is no room.
    fn make_room(&self, payer: usize) -> Option<Vec<Step>> {
        // By whom a class was reached, and which class a payer can be relieved of.
        let mut reached: Vec<Option<usize>> = vec![None; self.open.len()];
        let mut relieved: Vec<Option<usize>> = vec![None; self.may.len()];
        let (mut queue, mut at) = (vec![payer], 0);
        while let Some(one) = queue.get(at).copied() {
            at += 1;
            for class in (0..self.open.len()).filter(|class| self.may[one][*class]) {
                if reached[class].is_some() {
                    continue;
                }
                reached[class] = Some(one);
                if self.open[class] > 0 {
                    return Some(trace(payer, class, &reached, &relieved));
                }
                let paying = self.pays.iter().enumerate().filter(|(_, pays)| pays[class] > 0);
                for (other, _) in paying {
                    if !queue.contains(&other) {
                        relieved[other] = Some(class);
                        queue.push(other);
                    }
                }
            }
        }
        None
    }
}

fn trace(
    payer: usize,
    class: usize,
    reached: &[Option<usize>],
    relieved: &[Option<usize>],
) -> Vec<Step> {
    let (mut steps, mut class) = (Vec::new(), Some(class));
    while let Some(at) = class {
        let Some(by) = reached[at] else { break };
        steps.push((by, at));
        class = if by == payer { None } else { relieved[by] };
    }
    steps.reverse();
    steps
}
