import type { IconName } from '../../../ui/Icon'
import { paths } from '../../../values/paths'

type Entry = { to: string; label: 'overview' | 'stock' | 'catalog' | 'locations' | 'sales' | 'transfers' | 'exceptions' | 'approvals' | 'count' | 'countPlan' | 'countReviews' | 'countReports' | 'postings' | 'reservations' | 'channels' | 'lots' | 'holds' | 'suppliers' | 'customers' | 'events' | 'audit' | 'jobs' | 'integrity' | 'imports' | 'users' | 'roles' | 'keys'; icon: IconName; needs: string; go?: string }
type Group = { label: 'groupNow' | 'groupStock' | 'groupCounting' | 'groupSelling' | 'groupPartners' | 'groupSystem'; entries: Entry[] }

/**
 * The menu. An entry shows when its page is registered in routes.tsx and the reader holds the permission.
 * `go` is the second key after "g".
 */
export const NAV: Group[] = [
  {
    label: 'groupNow',
    entries: [
      { to: paths.overview(), label: 'overview', icon: 'overview', needs: 'stock:read', go: 'o' },
      { to: paths.exceptions(), label: 'exceptions', icon: 'alert', needs: 'exceptions:read', go: 'x' },
      { to: paths.approvals(), label: 'approvals', icon: 'approve', needs: 'stock:approve' },
    ],
  },
  {
    label: 'groupStock',
    entries: [
      { to: paths.stock(), label: 'stock', icon: 'stock', needs: 'stock:read', go: 's' },
      { to: paths.variants(), label: 'catalog', icon: 'tag', needs: 'catalog:read', go: 'v' },
      { to: paths.locations(), label: 'locations', icon: 'pin', needs: 'locations:read', go: 'l' },
      { to: paths.reservations(), label: 'reservations', icon: 'bookmark', needs: 'stock:read', go: 'r' },
      { to: paths.lots(), label: 'lots', icon: 'barcode', needs: 'stock:read' },
      { to: paths.holds(), label: 'holds', icon: 'hold', needs: 'stock:read' },
      { to: paths.transfers(), label: 'transfers', icon: 'truck', needs: 'transfers:read', go: 't' },
      { to: paths.postings(), label: 'postings', icon: 'list', needs: 'stock:read', go: 'p' },
    ],
  },
  {
    label: 'groupCounting',
    entries: [
      { to: paths.count(), label: 'count', icon: 'barcode', needs: 'stock:count', go: 'c' },
      { to: paths.countPlan(), label: 'countPlan', icon: 'clock', needs: 'stock:read' },
      { to: paths.countReviews(), label: 'countReviews', icon: 'approve', needs: 'stock:approve' },
      { to: paths.countReports(), label: 'countReports', icon: 'audit', needs: 'stock:read' },
    ],
  },
  { label: 'groupSelling', entries: [{ to: paths.sales(), label: 'sales', icon: 'sale', needs: 'sales:read', go: 'b' }, { to: paths.channels(), label: 'channels', icon: 'store', needs: 'channels:read' }] },
  {
    label: 'groupPartners',
    entries: [
      { to: paths.suppliers(), label: 'suppliers', icon: 'truck', needs: 'parties:read' },
      { to: paths.customers(), label: 'customers', icon: 'user', needs: 'parties:read' },
    ],
  },
  {
    label: 'groupSystem',
    entries: [
      { to: paths.imports(), label: 'imports', icon: 'import', needs: 'imports:write', go: 'i' },
      { to: paths.jobs(), label: 'jobs', icon: 'jobs', needs: 'jobs:read', go: 'j' },
      { to: paths.integrity(), label: 'integrity', icon: 'approve', needs: 'backups:read' },
      { to: paths.events(), label: 'events', icon: 'events', needs: 'events:read', go: 'e' },
      { to: paths.audit(), label: 'audit', icon: 'audit', needs: 'audit:read', go: 'a' },
      { to: paths.users(), label: 'users', icon: 'users', needs: 'users:read', go: 'u' },
      { to: paths.roles(), label: 'roles', icon: 'approve', needs: 'users:read' },
      { to: paths.keys(), label: 'keys', icon: 'key', needs: 'keys:write' },
    ],
  },
]
