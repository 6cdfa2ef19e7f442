use workflows::contracts::fridge_journal::RecordCheck;

use super::{
    journal::Direction,
    text::{kept_of_frame, without_nul},
};
use crate::postgres::{Database, StoreError};

/// The event of a question, by Vendron's name for it.
const NAME: &str = "check_machine_state";

impl Database {
    /// Records that somebody asked how a machine is, and what the answer was; again, it finds that.
    pub async fn record_check(&self, check: &RecordCheck) -> Result<(), StoreError> {
        let RecordCheck { machine_id, request, state } = check;
        sqlx::query!(
            "insert into event (event_id, machine_id, frontend, bubble_id, direction, name, status, code, message, raw,
                 at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict (event_id) do nothing",
            request.event_id,
            machine_id,
            request.frontend,
            request.user_id.as_deref().map(without_nul),
            Direction::Noted.as_str(),
            NAME,
            state.status.as_str(),
            state.code,
            without_nul(&state.message),
            kept_of_frame(&state.heard),
            state.checked_at,
        )
        .execute(&self.pool)
        .await
        .map_err(StoreError::during("recording a question"))?;
        Ok(())
    }
}
