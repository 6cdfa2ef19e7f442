use std::fmt;

use serde::{Deserialize, Serialize};

/// Status of a code, in the words of the sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CodeStatus {
    /// Issued and not scanned.
    Generado,
    /// Scanned.
    Usado,
    /// Not scanned in time.
    Vencido,
}

/// State of a credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreditState {
    /// The only one that a purchase leads to.
    Activo,
}

/// What is under way with an active credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreditSubstate {
    /// Disbursed, the code not scanned.
    DisposicionAutorizada,
    /// The code scanned.
    Desembolsado,
    /// The disbursement reversed.
    DisposicionRevertida,
}

impl CodeStatus {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Generado => "GENERADO",
            Self::Usado => "USADO",
            Self::Vencido => "VENCIDO",
        }
    }

    /// Reads the words of the sources, the English ones too.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "GENERADO" | "GENERATED" | "ACTIVE" => Some(Self::Generado),
            "USADO" | "USED" => Some(Self::Usado),
            "VENCIDO" | "EXPIRED" => Some(Self::Vencido),
            _ => None,
        }
    }
}

impl fmt::Display for CodeStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl CreditState {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Activo => "ACTIVO",
        }
    }
}

impl CreditSubstate {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DisposicionAutorizada => "DISPOSICION_AUTORIZADA",
            Self::Desembolsado => "DESEMBOLSADO",
            Self::DisposicionRevertida => "DISPOSICION_REVERTIDA",
        }
    }

    /// Reads the words of the sources, the misspelt ones too.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "DISPOSICION_AUTORIZADA" | "DISPOCICION_AUTORIZADA" => Some(Self::DisposicionAutorizada),
            "DESEMBOLSADO" | "DESEMBOLSADA" => Some(Self::Desembolsado),
            "DISPOSICION_REVERTIDA" => Some(Self::DisposicionRevertida),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spellings_of_the_sources_are_read_and_ours_is_written() {
        for status in [CodeStatus::Generado, CodeStatus::Usado, CodeStatus::Vencido] {
            assert_eq!(CodeStatus::parse(status.as_str()), Some(status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
        assert_eq!(CodeStatus::parse("EXPIRED"), Some(CodeStatus::Vencido));
        assert_eq!(CreditSubstate::parse("DISPOCICION_AUTORIZADA"), Some(CreditSubstate::DisposicionAutorizada));
        assert_eq!(CreditSubstate::parse("DESEMBOLSADA"), Some(CreditSubstate::Desembolsado));
        assert_eq!(CodeStatus::parse("generado"), None);
    }
}
