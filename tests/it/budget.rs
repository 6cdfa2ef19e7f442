//! What a life may cost at Temporal.

use system_tests::History;
use temporalio_common::protos::temporal::api::enums::v1::EventType;

/// Lives of which one has to be undisturbed.
pub(super) const MEASUREMENTS: usize = 3;

/// Whether the machine was so slow that something was done twice: a workflow task, or a step inside one, which then is an
/// activity beside those that every such life has.
pub(super) fn was_disturbed(history: &History, activities: usize) -> bool {
    history.count(EventType::WorkflowTaskTimedOut) > 0 || history.count(EventType::ActivityTaskScheduled) > activities
}

/// A life has at most so many events. Only after one that was disturbed another one is measured.
pub(super) async fn assert_fits(most: usize, activities: usize, live: impl AsyncFn() -> History) {
    let mut history = live().await;
    for _ in 1..MEASUREMENTS {
        if history.len() <= most || !was_disturbed(&history, activities) {
            break;
        }
        history = live().await;
    }
    assert!(history.len() <= most, "{} events\n{}", history.len(), history.outline());
}
