//! Customer events, as a programme manager tells them: five stars, top-ups, returned purchases,
//! surveys and followers (`events/customer-events/`).

use crate::tale::{Tale, awards, why_not};

/// whoever is given five stars has 5.00 EUR, each time; the nightly run awards it.
#[tokio::test(flavor = "multi_thread")]
async fn r52_five_stars_award_five_euros_each_time() {
    let tale = Tale::of("customer-events").await;
    tale.joins("clara").await;
    let praise = tale.body("achievement-five-stars").await;
    let first = tale.post("achievement-five-stars", &praise).await;
    assert_eq!((first.status, first.text("/event/status")), (202, "pending"), "it waits for a run");
    // The same praise sent twice is one praise.
    let twice = tale.post("achievement-five-stars", &praise).await;
    assert_eq!(twice.body["repeated"], true, "{twice:?}");
    assert_eq!(tale.night().await, 1);
    assert_eq!(awards(&tale.event(&first).await), ["five-stars 5.00 eur"]);
    for _ in 0..2 {
        assert_eq!(tale.again("achievement-five-stars", "clara").await.status, 202);
    }
    assert_eq!(tale.night().await, 2);
    assert_eq!(tale.has("clara", "eur").await, "15.00");
    assert_eq!(tale.night().await, 0, "a run never awards anything twice");
}

/// who has been trained and is certified as well has 500 points, in either order, once.
#[tokio::test(flavor = "multi_thread")]
async fn r42_all_of_a_set_of_achievements_are_asked_for() {
    let tale = Tale::of("customer-events").await;
    tale.joins("clara").await;
    let exam = tale.sends("achievement-certified").await;
    tale.again("achievement-certified", "clara").await;
    assert_eq!(tale.night().await, 0, "two exams are no course");
    assert_eq!(why_not(&tale.event(&exam).await, "trained-and-certified"), "counted");
    tale.sends("achievement-trained").await;
    assert_eq!(tale.night().await, 1);
    tale.again("achievement-trained", "clara").await;
    assert_eq!(tale.night().await, 0, "once");
    assert_eq!(tale.has("clara", "points").await, "500");
}

/// a top-up of 100 EUR or more by Electron Card awards 10.00 EUR, at most once within a year
/// that rolls on, in a run.
#[tokio::test(flavor = "multi_thread")]
async fn r53_a_top_up_awards_ten_euros_at_most_once_a_year() {
    let tale = Tale::of("customer-events").await;
    tale.joins("clara").await;
    // A cent too little, and another card.
    let mut little = tale.body("financial-top-up").await;
    little["external_reference"] = "little".into();
    little["amount"] = "99.99".into();
    let little = tale.post("financial-top-up", &little).await;
    let mut visa = tale.body("financial-top-up").await;
    visa["external_reference"] = "visa".into();
    visa["payment_medium"]["identifier"] = "4111000000000000".into();
    let visa = tale.post("financial-top-up", &visa).await;
    assert_eq!(tale.night().await, 0);
    assert_eq!(why_not(&tale.event(&little).await, "top-up"), "amount_out_of_range");
    assert_eq!(why_not(&tale.event(&visa).await, "top-up"), "payment_medium_not_included");

    // The brand follows from the number, of which four digits are kept.
    let first = tale.sends("financial-top-up").await;
    assert_eq!(first.text("/event/payment_medium/brand"), "Electron Card", "{first:?}");
    assert_eq!(first.text("/event/payment_medium/identifier"), "0000");
    let second = tale.again("financial-top-up", "clara").await;
    assert_eq!(tale.night().await, 1, "two on one day are awarded once");
    assert_eq!(tale.has("clara", "eur").await, "10.00");
    let judged = [tale.event(&first).await, tale.event(&second).await];
    assert!(judged.iter().any(|event| why_not(event, "top-up") == "limit_reached"), "{judged:?}");

    // Eleven months later it is still the same year; after thirteen it is not.
    tale.stack.advance("P335D").await.unwrap();
    tale.again("financial-top-up", "clara").await;
    assert_eq!(tale.night().await, 0);
    tale.stack.advance("P62D").await.unwrap();
    tale.again("financial-top-up", "clara").await;
    assert_eq!(tale.night().await, 1);
    assert_eq!(tale.has("clara", "eur").await, "20.00");
}

/// goods come back after the purchase was awarded, or before: what stays is what was kept.
#[tokio::test(flavor = "multi_thread")]
async fn r56_a_returned_purchase_takes_its_points_along() {
    let tale = Tale::of("customer-events").await;
    tale.joins("clara").await;
    // Boots for 90.00 and two pairs of laces for 5.00 each.
    let shoes = tale.sends("purchase-shoes").await;
    assert_eq!(awards(&shoes), ["a-point-for-each-euro 100 points"], "{shoes:?}");
    let part = tale.takes_back(&shoes, "cancel-laces").await;
    assert_eq!(part.text("/event/state"), "posted");
    assert_eq!(tale.has("clara", "points").await, "95");
    let rest = tale.takes_back(&shoes, "cancel-all").await;
    assert_eq!(rest.text("/event/state"), "cancelled");
    assert_eq!(tale.has("clara", "points").await, "0");

    // The till is slow: the goods are back before anybody has looked at the purchase.
    let mut waiting = tale.body("purchase-shoes").await;
    waiting["external_reference"] = "7002".into();
    waiting["process_immediately"] = false.into();
    let waiting = tale.post("purchase-shoes", &waiting).await;
    assert_eq!(waiting.text("/event/status"), "pending");
    tale.takes_back(&waiting, "cancel-all").await;
    assert_eq!(tale.night().await, 0);
    assert_eq!(tale.has("clara", "points").await, "0");
}

/// an answer to the survey awards 20 points at once, at most once in thirty days; whoever
/// would recommend us has 30 more.
#[tokio::test(flavor = "multi_thread")]
async fn r54_a_survey_awards_points_and_a_promoter_more() {
    let tale = Tale::of("customer-events").await;
    tale.joins("clara").await;
    let answer = tale.sends("web-survey").await;
    assert_eq!((answer.status, awards(&answer)), (201, vec!["survey 20 points".to_owned()]));
    let promoter = tale.sends("web-promoter").await;
    assert_eq!(awards(&promoter), ["promoter 30 points"], "{promoter:?}");
    assert_eq!(why_not(&promoter, "survey"), "limit_reached");
    tale.stack.advance("P31D").await.unwrap();
    let later = tale.again("web-promoter", "clara").await;
    assert_eq!(awards(&later), ["survey 20 points"], "the 30 points are given once");
    assert_eq!(tale.has("clara", "points").await, "70");
}

/// only the first two who follow us are awarded, by a run.
#[tokio::test(flavor = "multi_thread")]
async fn r44_a_run_awards_the_first_two_followers_and_no_third() {
    let tale = Tale::of("customer-events").await;
    for who in ["clara", "emil", "fritz"] {
        tale.joins(who).await;
        let follows = tale.again("social-follow", who).await;
        assert_eq!(follows.text("/event/status"), "pending", "{follows:?}");
    }
    assert_eq!(tale.night().await, 2);
    let mut points = Vec::new();
    for who in ["clara", "emil", "fritz"] {
        points.push(tale.has(who, "points").await);
    }
    points.sort();
    assert_eq!(points, ["0", "5", "5"]);
    // Another follow of theirs takes no further place, and awards nothing: the offer is for once.
    tale.again("social-follow", "clara").await;
    assert_eq!(tale.night().await, 0);
}
