//! What the API bears from those who send too much, too slowly, or never end.

mod large_bodies;
mod rate_limits;
mod slow_clients;
mod wire;
