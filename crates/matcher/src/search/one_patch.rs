//! One patch for the whole clip: from many starts on its first seconds, then from the best on all of it.

use super::cma::SepCma;
use super::evaluator::{Player, Studio, on_all};
use super::gauss_newton::Newton;
use super::{CONVERGED, STILL, Score, Search, TENTH, at};
use synth::{MATCHED_COUNT, Note, Patch};

/// Random patches tried beside the starts.
const RANDOM: usize = 24;
/// Of searches that begin side by side the worst ends after every so many generations of all.
const ROUND: usize = 3;
/// How wide a first search is.
pub struct Breadth {
    /// Searches that begin side by side.
    pub searches: usize,
    /// Their first steps, relative to those asked for.
    pub steps: f64,
}

/// Step of a search from a random patch, relative to that from an inference.
const WIDER: f64 = 1.5;
/// Step of the search on the whole clip, relative to that on its first seconds.
const NARROWER: f64 = 0.25;
/// Generations from one adjustment of notes that were only heard to the next.
const ADJUST_EVERY: usize = 10;
/// Where straight steps lead no further, least generations of a strategy before they are tried again.
const AGAIN: usize = 4;
/// Softest velocity given.
const SOFTEST: f64 = 0.1;

/// A patch and what it scores.
pub type Scored = (Patch, Score);
/// A strategy and the best it has found.
type Running = (SepCma, Scored);

/// Tries `starts` and random patches on `studio`'s clip, searches from the best ones
/// side by side until `share` of the budget is used, and returns the best of each, best first.
pub fn explore(
    search: &mut Search<'_>,
    studio: &Studio<'_>,
    notes: &[Note],
    starts: &[Patch],
    breadth: &Breadth,
    share: f64,
) -> Vec<Patch> {
    let mut patches = starts.to_vec();
    patches.extend((0..RANDOM).map(|_| {
        let random = Patch::random(&mut search.rng).matched();
        starts[0].with_matched(&random)
    }));
    let scores = scores(&mut search.players, studio, notes, &patches);
    let first = scores[0];
    let mut order: Vec<usize> = (0..patches.len()).collect();
    order.sort_by(|&a, &b| scores[b].worth(&first).total_cmp(&scores[a].worth(&first)));
    let mut running: Vec<Running> = order
        .iter()
        .take(breadth.searches)
        .map(|&i| {
            let wider = if i < starts.len() { 1.0 } else { WIDER };
            let cma = cma(search, &patches[i], wider * breadth.steps);
            (cma, (patches[i], scores[i]))
        })
        .collect();
    let mut ended: Vec<Scored> = Vec::new();
    let mut generation = 0;
    let mut renders = patches.len();
    let mut best = running[0].1;
    while search.goes_on(renders as f64 * studio.seconds(), best.1, share) {
        renders = step(search, studio, notes, &mut running, &first);
        running.sort_by(|a, b| b.1.1.worth(&first).total_cmp(&a.1.1.worth(&first)));
        best = running[0].1;
        generation += 1;
        if generation % ROUND == 0 && running.len() > 1 {
            ended.extend(running.pop().map(|(_, best)| best));
        }
    }
    ended.reverse();
    let found = running.into_iter().map(|(_, best)| best).chain(ended);
    found.map(|(patch, _)| patch).collect()
}

/// Searches from the best of `starts`, by derivatives while they lead on and by a strategy where they don't,
/// until the first of `shares` of the budget is used, and on until the second while it pays; returns the
/// patches that were the best in turn, and the notes with the velocities that go with the last.
pub fn settle(
    search: &mut Search<'_>,
    studio: &Studio<'_>,
    notes: &[Note],
    starts: &[Patch],
    (least, most): (f64, f64),
) -> (Vec<Patch>, Vec<Note>) {
    let mut notes = notes.to_vec();
    let scores = scores(&mut search.players, studio, &notes, starts);
    let first = scores[0];
    let mut best = (starts[0], first);
    for (patch, score) in starts.iter().zip(&scores) {
        offer(&mut best, *patch, *score, &first);
    }
    adjust(search, studio, &mut notes, &mut best);
    let mut trail = vec![best.0];
    let mut running = [(cma(search, &best.0, NARROWER), best)];
    let mut generation = 0;
    let (mut newton, mut since) = (Some(Newton::default()), 0);
    let mut renders = starts.len();
    // Where the next look at the gain is due, and the worth at the last one.
    let mut due = least - TENTH;
    let mut before = f32::MIN;
    while search.goes_on(renders as f64 * studio.seconds(), running[0].1.1, most) {
        let worth = running[0].1.1.worth(&first);
        let used = search.used();
        if used >= due {
            if used >= least && worth - before < STILL {
                break;
            }
            (due, before) = (used + TENTH, worth);
        }
        match &mut newton {
            Some(straight) => {
                let best = &mut running[0].1;
                let (used, on) = straight.step(search, studio, &notes, best, &first);
                renders = used;
                if !on {
                    // Not before: the descent keeps what it heard of the notes as they were.
                    adjust(search, studio, &mut notes, best);
                    newton = None;
                    since = generation;
                    running[0].0 = cma(search, &running[0].1.0, NARROWER);
                }
            }
            None => {
                renders = step(search, studio, &notes, &mut running, &first);
                generation += 1;
                if generation % ADJUST_EVERY == 0 {
                    adjust(search, studio, &mut notes, &mut running[0].1);
                }
                let better = running[0].1.0 != trail[trail.len() - 1];
                newton = (better && generation - since >= AGAIN).then(Newton::default);
            }
        }
        if running[0].1.0 != trail[trail.len() - 1] {
            trail.push(running[0].1.0);
        }
    }
    (trail, notes)
}

/// A strategy around `patch` with `scale` times the first steps asked for.
fn cma(search: &Search<'_>, patch: &Patch, scale: f64) -> SepCma {
    SepCma::new(&patch.matched().map(f64::from), &spread(search, scale))
}

/// `scale` times the first steps asked for.
fn spread(search: &Search<'_>, scale: f64) -> [f64; MATCHED_COUNT] {
    search.options.spread.map(|s| scale * f64::from(s))
}

/// One generation of each strategy; one that has converged begins anew around its best. Returns the renders.
fn step(
    search: &mut Search<'_>,
    studio: &Studio<'_>,
    notes: &[Note],
    running: &mut [Running],
    first: &Score,
) -> usize {
    let mut generations = Vec::new();
    let mut patches = Vec::new();
    for (cma, (best, _)) in running.iter_mut() {
        if cma.width() < CONVERGED {
            *cma = self::cma(search, best, 1.0);
        }
        let samples = cma.ask(&mut search.rng);
        patches.extend(samples.iter().map(|s| at(best, &s.point)));
        generations.push(samples);
    }
    let scores = scores(&mut search.players, studio, notes, &patches);
    let mut scored = patches.iter().zip(scores);
    for ((cma, best), samples) in running.iter_mut().zip(&generations) {
        let costs: Vec<f64> = scored
            .by_ref()
            .take(samples.len())
            .map(|(patch, score)| {
                offer(best, *patch, score, first);
                -f64::from(score.worth(first))
            })
            .collect();
        cma.tell(samples, &costs);
    }
    patches.len()
}

pub fn offer(best: &mut Scored, patch: Patch, score: Score, first: &Score) {
    if score.worth(first) > best.1.worth(first) {
        *best = (patch, score);
    }
}

/// What each patch scores when it plays the whole clip.
pub fn scores(
    players: &mut [Player],
    studio: &Studio<'_>,
    notes: &[Note],
    patches: &[Patch],
) -> Vec<Score> {
    on_all(players, patches, |player, patches| {
        studio.scores(player, notes, patches)
    })
}

/// Gives notes that were only heard the moment and the velocities at which the best patch is most like the
/// clip.
fn adjust(search: &mut Search<'_>, studio: &Studio<'_>, notes: &mut Vec<Note>, best: &mut Scored) {
    if !search.options.free_notes {
        return;
    }
    let player = &mut search.players[0];
    let mut moved = notes.clone();
    studio.scores(player, notes, &[best.0]);
    let early = studio.early(player);
    for note in &mut moved {
        note.onset = (note.onset + early).max(0.0);
    }
    if early != 0.0 {
        studio.scores(player, &moved, &[best.0]);
    }
    let gains = studio.gains(player, &studio.passages(&moved));
    set_velocities(&mut moved, &gains);
    let score = studio.scores(player, &moved, &[best.0])[0];
    // Moved as a whole it scores the same; each note will be heard in its own place.
    if score.objective() >= best.1.objective() - 1e-3 {
        *notes = moved;
        best.1 = score;
    }
}

/// Multiplies the notes' amplitudes, which are their velocities squared, by `gains` and a common factor that
/// makes the loudest note's velocity 1. The default response to velocity is assumed.
pub fn set_velocities(notes: &mut [Note], gains: &[f64]) {
    let wanted: Vec<f64> = notes
        .iter()
        .zip(gains)
        .map(|(note, gain)| f64::from(note.velocity) * gain.max(0.0).sqrt())
        .collect();
    let loudest = wanted.iter().fold(0.0f64, |m, &v| m.max(v));
    if loudest > 0.0 {
        for (note, wanted) in notes.iter_mut().zip(&wanted) {
            note.velocity = (wanted / loudest).clamp(SOFTEST, 1.0) as f32;
        }
    }
}
