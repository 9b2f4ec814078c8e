/** Every address of the console in one place. Features link to each other through here and nowhere else. */
type Params = Record<string, string | undefined>

function withQuery(path: string, params: Params): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(params)) if (value) query.set(name, value)
  const text = query.toString()
  return text ? `${path}?${text}` : path
}

export const paths = {
  login: (next?: string) => withQuery('/login', { next }),
  setup: () => '/setup',
  acceptInvitation: () => '/accept-invitation',
  forgotPassword: () => '/forgot-password',
  resetPassword: () => '/reset-password',
  secondFactor: (next?: string) => withQuery('/second-factor', { next }),
  overview: () => '/',
  stock: (filters: Params = {}) => withQuery('/stock', filters),
  variant: (id: string, at: Params = {}) => withQuery(`/variants/${id}`, at),
  variants: (filters: Params = {}) => withQuery('/catalog', filters),
  product: (id: string) => `/products/${id}`,
  locations: (filters: Params = {}) => withQuery('/locations', filters),
  location: (id: string) => `/locations/${id}`,
  lots: (filters: Params = {}) => withQuery('/lots', filters),
  lot: (id: string) => `/lots/${id}`,
  holds: (filters: Params = {}) => withQuery('/holds', filters),
  sales: (filters: Params = {}) => withQuery('/sales', filters),
  sale: (id: string) => `/sales/${id}`,
  reservations: (filters: Params = {}) => withQuery('/reservations', filters),
  channels: (filters: Params = {}) => withQuery('/channels', filters),
  transfers: (filters: Params = {}) => withQuery('/transfers', filters),
  transfer: (id: string) => `/transfers/${id}`,
  postings: (filters: Params = {}) => withQuery('/postings', filters),
  posting: (id: string) => `/postings/${id}`,
  exceptions: (filters: Params = {}) => withQuery('/exceptions', filters),
  approvals: (filters: Params = {}) => withQuery('/approvals', filters),
  count: () => '/count',
  countPlan: (at: Params = {}) => withQuery('/counting/plan', at),
  countReviews: () => '/counting/reviews',
  countReports: (at: Params = {}) => withQuery('/counting/reports', at),
  suppliers: (filters: Params = {}) => withQuery('/suppliers', filters),
  customers: (filters: Params = {}) => withQuery('/customers', filters),
  events: (filters: Params = {}) => withQuery('/events', filters),
  audit: (filters: Params = {}) => withQuery('/audit', filters),
  jobs: (filters: Params = {}) => withQuery('/jobs', filters),
  integrity: () => '/integrity',
  job: (id: string) => `/jobs/${id}`,
  imports: () => '/imports',
  import: (id: string) => `/imports/${id}`,
  users: (filters: Params = {}) => withQuery('/users', filters),
  roles: () => '/roles',
  keys: () => '/keys',
  account: () => '/account',
} as const

/** Where a thing found by search or scan lives. Kinds without a page of their own open the nearest list. */
export function pathOf(kind: string, id: string, title = ''): string {
  switch (kind) {
    case 'variant':
      return paths.variant(id)
    case 'product':
      return paths.variants({ product_id: id })
    case 'location':
      return paths.location(id)
    case 'lot':
      return paths.lot(id)
    case 'sale':
      return paths.sale(id)
    case 'transfer':
      return paths.transfer(id)
    case 'posting':
      return paths.posting(id)
    case 'supplier':
      return paths.suppliers({ q: title })
    case 'customer':
      return paths.customers({ q: title })
    default:
      return paths.overview()
  }
}

/** Only an address of our own may be jumped to after login: "//evil.example" is none. */
export function safeNext(next: string | undefined): string {
  return next && /^\/(?![/\\])/.test(next) ? next : paths.overview()
}
