//! One function applied to many items on several threads.

/// Number of cores of this machine, at least 1.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get())
}

/// Applies `f` to every item on `threads` threads (0 counts as 1); results are in the order of
/// `items`.
pub fn side_by_side<T: Sync, R: Send>(
    threads: usize,
    items: &[T],
    f: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let share = items.len().div_ceil(threads.max(1)).max(1);
    if share >= items.len() {
        return items.iter().map(f).collect();
    }
    std::thread::scope(|scope| {
        let f = &f;
        let workers: Vec<_> = items
            .chunks(share)
            .map(|items| scope.spawn(move || items.iter().map(f).collect::<Vec<R>>()))
            .collect();
        let done = workers.into_iter().map(|worker| worker.join());
        // A panic goes on where it would have gone without threads.
        done.flat_map(|results| results.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

/// [`side_by_side`] on a quarter of the cores, which leaves the others to rendering.
pub fn on_quarter<T: Sync, R: Send>(items: &[T], f: impl Fn(&T) -> R + Sync) -> Vec<R> {
    side_by_side(cores() / 4, items, f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_kept_on_any_number_of_threads() {
        let items: Vec<usize> = (0..23).collect();
        let wanted: Vec<usize> = items.iter().map(|i| i * i).collect();
        for threads in [0, 1, 2, 5, 22, 23, 100] {
            assert_eq!(side_by_side(threads, &items, |i| i * i), wanted);
        }
        assert!(side_by_side(4, &[], |i: &usize| *i).is_empty());
    }
}
