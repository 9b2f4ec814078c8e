import { createRootRouteWithContext, createRoute, createRouter, lazyRouteComponent, Outlet, redirect } from '@tanstack/react-router'
import type { QueryClient } from '@tanstack/react-query'

import { asProblem } from '../../api/problem'
import { meQuery, setupQuery } from '../../api/session'
import type { Me } from '../../api/types'
import { parseSearch, stringifySearch } from '../../ui/url'
import { paths } from '../../values/paths'
import { Crashed, NotFound } from './shell/Lost'
import { Frame } from './shell/Frame'

type Pages = Record<string, React.ComponentType>
/** A page's module; it may export other things beside its page. */
type Load = () => Promise<object>

const root = createRootRouteWithContext<{ client: QueryClient }>()({ component: Outlet, notFoundComponent: NotFound, errorComponent: Crashed })

/** Everything inside asks first who is there. An empty database leads to the first-run wizard. */
const inside = createRoute({
  getParentRoute: () => root,
  id: 'inside',
  component: Frame,
  beforeLoad: async ({ context, location }) => {
    let me: Me
    try {
      me = await context.client.ensureQueryData(meQuery)
    } catch (error) {
      if (asProblem(error).status !== 401) throw error
      const setup = await context.client.fetchQuery(setupQuery).catch(() => ({ needed: false }))
      throw redirect({ href: setup.needed ? paths.setup() : paths.login(location.href === '/' ? undefined : location.href) })
    }
    // Who only counts begins where they count: the overview is not for them.
    if (location.pathname === paths.overview() && !('stock:read' in me.permissions) && 'stock:count' in me.permissions) throw redirect({ href: paths.count() })
    if (me.totp_required && !me.totp_enabled) throw redirect({ href: paths.secondFactor(location.href) })
  },
})

const page = (path: string, load: Load, name: string) => createRoute({ getParentRoute: () => inside, path, component: lazyRouteComponent(load as () => Promise<Pages>, name) })
const outside = (path: string, load: Load, name: string) => createRoute({ getParentRoute: () => root, path, component: lazyRouteComponent(load as () => Promise<Pages>, name) })

/* One line a page; each is its own chunk. */
const pages = [
  page('/', () => import('./insight/OverviewPage'), 'OverviewPage'),
  page('/stock', () => import('./ledger/StockPage'), 'StockPage'),
  page('/variants/$id', () => import('./ledger/VariantPage'), 'VariantPage'),
  page('/reservations', () => import('./ledger/ReservationsPage'), 'ReservationsPage'),
  page('/channels', () => import('./channels/ChannelsPage'), 'ChannelsPage'),
  page('/postings', () => import('./ledger/PostingsPage'), 'PostingsPage'),
  page('/postings/$id', () => import('./ledger/PostingsPage'), 'PostingPage'),
  page('/lots', () => import('./quality/LotsPage'), 'LotsPage'),
  page('/lots/$id', () => import('./quality/LotPage'), 'LotPage'),
  page('/holds', () => import('./quality/HoldsPage'), 'HoldsPage'),
  page('/sales', () => import('./pos/SalesPage'), 'SalesPage'),
  page('/sales/$id', () => import('./pos/SalePage'), 'SalePage'),
  page('/transfers', () => import('./transfers/TransfersPage'), 'TransfersPage'),
  page('/transfers/$id', () => import('./transfers/TransferPage'), 'TransferPage'),
  page('/exceptions', () => import('./ledger/ExceptionsPage'), 'ExceptionsPage'),
  page('/approvals', () => import('./ledger/ApprovalsPage'), 'ApprovalsPage'),
  page('/jobs', () => import('./ops/JobsPage'), 'JobsPage'),
  page('/integrity', () => import('./ops/IntegrityPage'), 'IntegrityPage'),
  page('/jobs/$id', () => import('./ops/JobPage'), 'JobPage'),
  page('/imports', () => import('./integrations/ImportsPage'), 'ImportsPage'),
  page('/imports/$id', () => import('./integrations/ImportPage'), 'ImportPage'),
  page('/users', () => import('./access/UsersPage'), 'UsersPage'),
  page('/roles', () => import('./access/RolesPage'), 'RolesPage'),
  page('/keys', () => import('./access/KeysPage'), 'KeysPage'),
  page('/account', () => import('./access/AccountPage'), 'AccountPage'),
  page('/locations', () => import('./locations/LocationsPage'), 'LocationsPage'),
  page('/locations/$id', () => import('./locations/LocationsPage'), 'LocationsPage'),
  page('/events', () => import('./ops/EventsPage'), 'EventsPage'),
  page('/audit', () => import('./ops/AuditPage'), 'AuditPage'),
  page('/count', () => import('./counting/CountPage'), 'CountPage'),
  page('/counting/plan', () => import('./counting/PlanPage'), 'PlanPage'),
  page('/counting/reviews', () => import('./counting/ReviewsPage'), 'ReviewsPage'),
  page('/counting/reports', () => import('./counting/ReportsPage'), 'ReportsPage'),
  page('/suppliers', () => import('./parties/PartiesPage'), 'SuppliersPage'),
  page('/customers', () => import('./parties/PartiesPage'), 'CustomersPage'),
  page('/catalog', () => import('./catalog/VariantsPage'), 'VariantsPage'),
]

const publicPages = [
  outside('/login', () => import('./access/LoginPage'), 'LoginPage'),
  outside('/accept-invitation', () => import('./access/TokenPages'), 'AcceptInvitationPage'),
  outside('/forgot-password', () => import('./access/TokenPages'), 'ForgotPasswordPage'),
  outside('/reset-password', () => import('./access/TokenPages'), 'ResetPasswordPage'),
  outside('/second-factor', () => import('./access/SecondFactorPage'), 'SecondFactorPage'),
  outside('/setup', () => import('./setup/SetupPage'), 'SetupPage'),
]

export function makeRouter(client: QueryClient) {
  return createRouter({
    routeTree: root.addChildren([inside.addChildren(pages), ...publicPages]),
    context: { client },
    parseSearch,
    stringifySearch,
    defaultPreload: 'intent',
    scrollRestoration: true,
    defaultErrorComponent: Crashed,
  })
}
