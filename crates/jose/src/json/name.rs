//! The member names that are looked up by index.

/// A registered member name, of the JOSE header or of the claims, so that a look-up is an index.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Name {
    /// `act`
    Act,
    /// `alg`
    Alg,
    /// `aud`
    Aud,
    /// `azp`
    Azp,
    /// `b64`
    B64,
    /// `_claim_names`
    ClaimNames,
    /// `client_id`
    ClientId,
    /// `cnf`
    Cnf,
    /// `crit`
    Crit,
    /// `events`
    Events,
    /// `exp`
    Exp,
    /// `groups`
    Groups,
    /// `hasgroups`
    HasGroups,
    /// `iat`
    Iat,
    /// `iss`
    Iss,
    /// `jti`
    Jti,
    /// `kid`
    Kid,
    /// `nbf`
    Nbf,
    /// `roles`
    Roles,
    /// `scope`
    Scope,
    /// `scp`
    Scp,
    /// `sub`
    Sub,
    /// `typ`
    Typ,
}

impl Name {
    /// How many there are.
    pub(super) const COUNT: usize = 23;

    /// Returns the registered name that is spelled like this.
    #[inline]
    #[must_use]
    pub fn of(name: &[u8]) -> Option<Self> {
        Some(match name {
            &[a, b, c] => return Self::of_three_letters([a, b, c]),
            b"_claim_names" => Self::ClaimNames,
            b"client_id" => Self::ClientId,
            b"crit" => Self::Crit,
            b"events" => Self::Events,
            b"groups" => Self::Groups,
            b"hasgroups" => Self::HasGroups,
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
    #[inline]
    pub(super) const fn index(self) -> usize {
        match self {
            Self::Act => 0,
            Self::Alg => 1,
            Self::Aud => 2,
            Self::Azp => 3,
            Self::B64 => 4,
            Self::ClaimNames => 5,
            Self::ClientId => 6,
            Self::Cnf => 7,
            Self::Crit => 8,
            Self::Events => 9,
            Self::Exp => 10,
            Self::Groups => 11,
            Self::HasGroups => 12,
            Self::Iat => 13,
            Self::Iss => 14,
            Self::Jti => 15,
            Self::Kid => 16,
            Self::Nbf => 17,
            Self::Roles => 18,
            Self::Scope => 19,
            Self::Scp => 20,
            Self::Sub => 21,
            Self::Typ => 22,
        }
    }
}

const fn number([a, b, c]: [u8; 3]) -> u32 {
    u32::from_le_bytes([a, b, c, 0])
}
