//! MPE zones: which channels play notes of their own, and which channel is the master of each.

/// Masters of the lower and of the upper zone.
const MASTERS: [u8; 2] = [0, 15];

/// The zones of the 16 channels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Zones {
    /// Number of member channels of the lower and of the upper zone; 0: there is no such zone.
    members: [u8; 2],
    /// The master of each channel's zone; the channel itself where it is not a member.
    masters: [u8; 16],
}

impl Default for Zones {
    fn default() -> Self {
        Self::new(false)
    }
}

impl Zones {
    /// One zone of all channels, or none.
    pub fn new(on: bool) -> Self {
        Self::of([if on { 15 } else { 0 }, 0])
    }

    fn of(members: [u8; 2]) -> Self {
        let masters = std::array::from_fn(|channel| match channel as u8 {
            c @ 1.. if c <= members[0] => MASTERS[0],
            c @ ..15 if 15 - c <= members[1] => MASTERS[1],
            c => c,
        });
        Self { members, masters }
    }

    /// Gives the zone of a master channel a number of members; the other zone keeps what is left.
    /// Returns whether the channel can be a master.
    pub fn configure(&mut self, master: u8, members: u8) -> bool {
        let Some(zone) = MASTERS.iter().position(|&m| m == master) else {
            return false;
        };
        let mut both = self.members;
        both[zone] = members.min(15);
        if both[zone] > 0 {
            // Both masters are left out.
            both[1 - zone] = both[1 - zone].min(14u8.saturating_sub(both[zone]));
        }
        *self = Self::of(both);
        true
    }

    /// The master of a channel's zone; the channel itself where it is not a member.
    #[inline(always)]
    pub fn master(&self, channel: u8) -> u8 {
        self.masters[channel as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_never_overlap() {
        for lower in 0..=16 {
            for upper in 0..=16 {
                for order in [[0, 15], [15, 0]] {
                    let mut zones = Zones::default();
                    for master in order {
                        let members = if master == 0 { lower } else { upper };
                        assert!(zones.configure(master, members));
                    }
                    let [a, b] = zones.members;
                    assert!(a == 0 || b == 0 || a + b <= 14, "{zones:?}");
                    let last = usize::from(order[1] == 15);
                    assert_eq!(zones.members[last], [lower, upper][last].min(15));
                    let count = |m: u8| (0..16).filter(|&c| c != m && zones.master(c) == m).count();
                    assert_eq!([count(0), count(15)], [a, b].map(usize::from));
                }
            }
        }
        assert!(!Zones::default().configure(3, 5));
    }
}
