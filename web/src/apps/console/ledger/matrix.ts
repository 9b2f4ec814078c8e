import type { InfiniteData } from '@tanstack/react-query'

import type { LevelChanged, MatrixRow, Page } from '../../../api/types'
import { add, subtract } from '../../../values/decimal'

/**
 * The matrix after these level messages. Only touched rows and pages become new objects, so only they are drawn again.
 * A message carries the site's new sellable, reserved and available; on hand moves by as much as sellable did, and
 * the totals by as much as the site did: applying one message twice changes nothing.
 */
export function applyLevels(data: InfiniteData<Page<MatrixRow>>, levels: LevelChanged[]): InfiniteData<Page<MatrixRow>> {
  const byVariant = new Map<string, LevelChanged[]>()
  for (const level of levels) byVariant.set(level.variant_id, [...(byVariant.get(level.variant_id) ?? []), level])
  let touched = false
  const pages = data.pages.map((page) => {
    if (!page.data.some((row) => byVariant.has(row.variant_id))) return page
    touched = true
    return { ...page, data: page.data.map((row) => byVariant.get(row.variant_id)?.reduce(applyLevel, row) ?? row) }
  })
  return touched ? { ...data, pages } : data
}

function applyLevel(row: MatrixRow, level: LevelChanged): MatrixRow {
  const before = row.sites[level.site_id] ?? { on_hand: '0', available: '0', reserved: '0' }
  const change = subtract(level.sellable, add(before.available, before.reserved))
  const reserved = subtract(level.reserved, before.reserved)
  const available = subtract(level.available, before.available)
  return {
    ...row,
    sites: { ...row.sites, [level.site_id]: { on_hand: add(before.on_hand, change), available: level.available, reserved: level.reserved } },
    totals: {
      ...row.totals,
      on_hand: add(row.totals.on_hand, change),
      reserved: add(row.totals.reserved, reserved),
      available: add(row.totals.available, available),
    },
  }
}
