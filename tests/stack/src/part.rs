use std::fmt;

/// One process of the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The database server.
    Postgres,
    /// Temporal's development server, with its UI in `cargo dev`.
    Temporal,
    /// DynamoDB and S3. It stands for AWS, which does not forget: it is asked to end, never killed.
    Aws,
    /// `perdura-sandbox`: the outside systems.
    Sandbox,
    /// `perdura-api serve`.
    Api,
    /// `perdura-worker`.
    Worker,
}

impl Part {
    /// Every part, in the order in which they need each other; they are stopped in the reverse order.
    pub const ALL: [Self; 6] = [Self::Postgres, Self::Temporal, Self::Aws, Self::Sandbox, Self::Api, Self::Worker];

    /// The name in messages, and of the log file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Temporal => "temporal",
            Self::Aws => "ministack",
            Self::Sandbox => "sandbox",
            Self::Api => "api",
            Self::Worker => "worker",
        }
    }

    /// Whether this is a server of others, which everything else depends on.
    pub fn is_server(self) -> bool {
        matches!(self, Self::Postgres | Self::Temporal | Self::Aws)
    }

    pub(crate) fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
