//! The member names that the engine itself asks for.

/// A registered member name, of the JOSE header or of the claims, so that a look-up is an index.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Name {
    Act,
    Alg,
    Aud,
    Azp,
    B64,
    ClientId,
    Cnf,
    Crit,
    Exp,
    Groups,
    Iat,
    Iss,
    Jti,
    Kid,
    Nbf,
    Roles,
    Scope,
    Scp,
    Sub,
    Typ,
}

impl Name {
    /// How many there are.
    pub(super) const COUNT: usize = 20;

    /// Returns the registered name that is spelled like this.
    #[inline]
    pub(crate) fn of(name: &[u8]) -> Option<Self> {
        Some(match name {
            &[a, b, c] => return Self::of_three_letters([a, b, c]),
            b"client_id" => Self::ClientId,
            b"crit" => Self::Crit,
            b"groups" => Self::Groups,
            b"roles" => Self::Roles,
            b"scope" => Self::Scope,
            _ => return None,
        })
    }

    /// Returns the registered name of three letters, which most have.
    #[inline]
    pub(super) fn of_three_letters(name: [u8; 3]) -> Option<Self> {
        // As numbers, which the compiler tells apart with few comparisons.
        const ACT: u32 = number(*b"act");
        const ALG: u32 = number(*b"alg");
        const AUD: u32 = number(*b"aud");
        const AZP: u32 = number(*b"azp");
        const B64: u32 = number(*b"b64");
        const CNF: u32 = number(*b"cnf");
        const EXP: u32 = number(*b"exp");
        const IAT: u32 = number(*b"iat");
        const ISS: u32 = number(*b"iss");
        const JTI: u32 = number(*b"jti");
        const KID: u32 = number(*b"kid");
        const NBF: u32 = number(*b"nbf");
        const SCP: u32 = number(*b"scp");
        const SUB: u32 = number(*b"sub");
        const TYP: u32 = number(*b"typ");
        Some(match number(name) {
            ACT => Self::Act,
            ALG => Self::Alg,
            AUD => Self::Aud,
            AZP => Self::Azp,
            B64 => Self::B64,
            CNF => Self::Cnf,
            EXP => Self::Exp,
            IAT => Self::Iat,
            ISS => Self::Iss,
            JTI => Self::Jti,
            KID => Self::Kid,
            NBF => Self::Nbf,
            SCP => Self::Scp,
            SUB => Self::Sub,
            TYP => Self::Typ,
            _ => return None,
        })
    }

    /// Returns the position of this name among all.
    pub(super) const fn index(self) -> usize {
        match self {
            Self::Act => 0,
            Self::Alg => 1,
            Self::Aud => 2,
            Self::Azp => 3,
            Self::B64 => 4,
            Self::ClientId => 5,
            Self::Cnf => 6,
            Self::Crit => 7,
            Self::Exp => 8,
            Self::Groups => 9,
            Self::Iat => 10,
            Self::Iss => 11,
            Self::Jti => 12,
            Self::Kid => 13,
            Self::Nbf => 14,
            Self::Roles => 15,
            Self::Scope => 16,
            Self::Scp => 17,
            Self::Sub => 18,
            Self::Typ => 19,
        }
    }
}

const fn number([a, b, c]: [u8; 3]) -> u32 {
    u32::from_le_bytes([a, b, c, 0])
}
