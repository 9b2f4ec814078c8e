import { listKey } from '../../../ui/datalist/useListData'

/** The names under which a variant's readings are kept. */
export const keys = {
  variant: (id: string) => ['variant', id] as const,
  siteLevels: (id: string) => ['site-levels', id] as const,
  levels: (id: string, site = '', asOf = '') => ['levels', id, site, asOf] as const,
  chart: (id: string, site = '') => ['chart', id, site] as const,
  history: (id: string) => listKey(historyPath(id)),
  posting: (id: string) => ['posting', id] as const,
  reservation: (id: string) => ['reservation', id] as const,
  backorders: (variantId: string) => ['backorders', variantId] as const,
  held: (variantId: string) => ['held', variantId] as const,
}

export const historyPath = (id: string) => `/v1/variants/${id}/history`

/** Reasons an adjustment may give; the words are in ui/i18n/words. */
export const REASONS = ['correction', 'cycle_count', 'damaged', 'shrinkage', 'theft', 'expired', 'donation', 'found', 'production', 'other'] as const
export const CONDITIONS = ['available', 'hold', 'quarantine', 'damaged', 'expired', 'recalled'] as const
