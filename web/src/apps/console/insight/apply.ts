import type { CloudEvent, Gap, LevelChanged, Overview, SaleCompleted } from '../../../api/types'
import { add, compare } from '../../../values/decimal'

const TICKER = 30
const MINUTES = 60

/**
 * The overview after these messages. Between two readings the screen moves by the stream alone; what the last
 * reading already contains (recorded before its `at`) is not counted twice. Refunds and voids wait for the next reading.
 */
export function applyEvents(overview: Overview, events: CloudEvent[]): Overview {
  const fresh = events.filter((event) => event.recordedtime > overview.at)
  const sales = fresh.filter((event) => event.type === 'sale.completed').map((event) => event.data as unknown as SaleCompleted)
  const levels = fresh.filter((event) => event.type === 'stock.level_changed').map((event) => event.data as unknown as LevelChanged)
  let next = overview
  if (sales.length) next = sales.reduce(applySale, next)
  if (levels.length) next = applyLevels(next, levels)
  return next
}

function applySale(before: Overview, sale: SaleCompleted): Overview {
  if (before.recent_sales.some((known) => known.id === sale.sale_id)) return before
  const counts = sale.currency === before.today.revenue.currency
  const revenue = counts ? sale.total : '0'
  return {
    ...before,
    today: {
      sales: before.today.sales + 1,
      units: before.today.units + sale.units,
      revenue: { ...before.today.revenue, amount: add(before.today.revenue.amount, revenue) },
    },
    minutes: applyMinute(before.minutes, sale, revenue),
    sites: before.sites.map((site) =>
      site.site_id === sale.site_id
        ? { ...site, sales: site.sales + 1, units: site.units + sale.units, revenue: { ...site.revenue, amount: add(site.revenue.amount, revenue) }, last_sale_at: sale.happened_at }
        : site,
    ),
    recent_sales: [{ id: sale.sale_id, ...sale }, ...before.recent_sales].slice(0, TICKER),
  }
}

function applyMinute(minutes: Overview['minutes'], sale: SaleCompleted, revenue: string): Overview['minutes'] {
  const minute = `${sale.happened_at.slice(0, 16)}`
  const at = minutes.findIndex((each) => each.at.startsWith(minute))
  if (at >= 0) {
    return minutes.map((each, index) => (index === at ? { ...each, units: each.units + sale.units, revenue: add(each.revenue, revenue) } : each))
  }
  const last = minutes.at(-1)
  if (last && last.at > `${minute}:00Z`) return minutes
  return [...minutes, { at: `${minute}:00Z`, units: sale.units, revenue }].slice(-MINUTES)
}

function applyLevels(before: Overview, levels: LevelChanged[]): Overview {
  const latest = new Map(levels.map((level) => [`${level.variant_id} ${level.site_id}`, level]))
  const patch = (rows: Gap[]) => rows.map((row) => patched(row, latest.get(`${row.variant_id} ${row.site_id}`)))
  return {
    ...before,
    below_minimum: patch(before.below_minimum).filter((row) => !row.minimum || compare(row.available, row.minimum) < 0),
    below_zero: patch(before.below_zero).filter((row) => compare(row.available, '0') < 0),
  }
}

function patched(row: Gap, level: LevelChanged | undefined): Gap {
  return level ? { ...row, sellable: level.sellable, available: level.available } : row
}
