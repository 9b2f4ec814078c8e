/** In which order lots and bins serve. */
export const STRATEGIES = ['fefo', 'fifo', 'lifo', 'nearest_bin', 'fewest_picks'] as const
export type Strategy = (typeof STRATEGIES)[number]
