//! The same of many items, on several threads.

/// Cores of this machine.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get())
}

/// `f` of every item, in their order, on so many threads.
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
