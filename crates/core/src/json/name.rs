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
            // Most have three letters: one array, which the compiler tells apart byte by byte.
            &[a, b, c] => match &[a, b, c] {
                b"act" => Self::Act,
                b"alg" => Self::Alg,
                b"aud" => Self::Aud,
                b"azp" => Self::Azp,
                b"b64" => Self::B64,
                b"cnf" => Self::Cnf,
                b"exp" => Self::Exp,
                b"iat" => Self::Iat,
                b"iss" => Self::Iss,
                b"jti" => Self::Jti,
                b"kid" => Self::Kid,
                b"nbf" => Self::Nbf,
                b"scp" => Self::Scp,
                b"sub" => Self::Sub,
                b"typ" => Self::Typ,
                _ => return None,
            },
            b"client_id" => Self::ClientId,
            b"crit" => Self::Crit,
            b"groups" => Self::Groups,
            b"roles" => Self::Roles,
            b"scope" => Self::Scope,
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
