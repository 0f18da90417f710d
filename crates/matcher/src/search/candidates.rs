//! What the encoder itself says of a clip, before any search.

use super::clip::{ANSWERS, ClipInference};
use super::cma::SepCma;
use super::evaluator::{FINE, Player, Studio};
use super::one_patch::{Scored, scores};
use super::{FIRST_SECONDS, Reference, at};
use crate::model::{Encoder, ListenError};
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;
use synth::{Note, Patch};

/// Answers drawn at a time, and how often.
const DRAWN: usize = 16;
const TIMES: usize = 6;
/// How far from the best so far they lie, in standard deviations of the inference, at first; and from one time to
/// the next.
const NEAR: f64 = 0.5;
const NEARER: f64 = 0.8;
/// Seed of the draws.
const SEED: u64 = 1;
/// So many of the best are played to the end of a long clip.
const BEST: usize = 4;
/// Corrections, one after the other.
const CORRECTIONS: usize = 8;
/// Most renders that [`answers`] makes; the best is played once more to begin the corrections.
pub const MOST_PLAYED: usize = ANSWERS + TIMES * DRAWN + BEST + 1 + CORRECTIONS;

/// The encoder's answers to a clip: first the one that is most like `reference` when it plays `notes`, then those to
/// the whole and to windows, as they are. Tried for the first are all of these; some around the best of them, as far
/// away as the encoder is unsure; and what the best becomes as the encoder hears it played and corrects itself. Of a
/// long clip most are heard on its first seconds only. At most [`MOST_PLAYED`] renders, on so many threads.
pub fn answers(
    reference: &Reference,
    notes: &[Note],
    inferred: &ClipInference,
    encoder: &mut impl Encoder,
    threads: usize,
) -> Result<Vec<Patch>, ListenError> {
    let beginning = reference.beginning(notes, FIRST_SECONDS)?;
    let (part, part_notes) = match &beginning {
        Some((part, notes)) => (part, notes.as_slice()),
        None => (reference, notes),
    };
    let studio = Studio::new(part, FINE);
    let players = &mut studio.players(threads)?;
    let given = inferred.answers();
    let mut found = scored(players, &studio, part_notes, given.clone());
    let mut rng = Pcg64Mcg::seed_from_u64(SEED);
    let mut centre = inferred.whole.mean;
    let mut share = NEAR;
    for _ in 0..TIMES {
        let spread = inferred.whole.sigma.map(|s| share * f64::from(s));
        let around = SepCma::with_population(&centre.map(f64::from), &spread, DRAWN);
        let drawn = around.ask(&mut rng).into_iter();
        let drawn = drawn.map(|s| at(&Patch::default(), &s.point)).collect();
        found.extend(scored(players, &studio, part_notes, drawn));
        sort(&mut found);
        centre = found[0].0.matched();
        share *= NEARER;
    }
    found.truncate(BEST);

    let studio = Studio::new(reference, FINE);
    let players = &mut studio.players(threads)?;
    let patches = found.into_iter().map(|(patch, _)| patch).collect();
    let mut found = scored(players, &studio, notes, patches);
    sort(&mut found);
    let mut patch = found[0].0;
    let player = &mut players[..1];
    // Played again: the player holds what it heard last.
    scored(player, &studio, notes, vec![patch]);
    for _ in 0..CORRECTIONS {
        patch = inferred.corrected(&patch, player[0].heard(), encoder)?;
        found.extend(scored(player, &studio, notes, vec![patch]));
    }
    sort(&mut found);
    // Those drawn are much the same as the first; a search also needs some that aren't.
    Ok([found[0].0].into_iter().chain(given).collect())
}

fn scored(
    players: &mut [Player],
    studio: &Studio<'_>,
    notes: &[Note],
    patches: Vec<Patch>,
) -> Vec<Scored> {
    let scores = scores(players, studio, notes, &patches);
    patches.into_iter().zip(scores).collect()
}

/// The most alike first; equals stay in order.
fn sort(found: &mut [Scored]) {
    found.sort_by(|(_, a), (_, b)| b.objective().total_cmp(&a.objective()));
}
