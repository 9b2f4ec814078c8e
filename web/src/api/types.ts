/** The shapes screens read. Field names are the server's; quantities and money are decimal strings. */
import type { Money } from '../values/money'

export type { Money }
export type Page<T> = { data: T[]; next_cursor: string | null; has_more: boolean }
export type ActorRef = { id: string | null; kind: 'user' | 'key' | 'system'; name: string }

export type Organisation = { name: string; currency: string; locale: string; time_zone: string; setup_done?: boolean }
export type Me = {
  id: string
  kind: 'user' | 'key'
  name: string
  email: string | null
  locale: string | null
  roles: string[]
  permissions: Record<string, string[] | null>
  totp_enabled: boolean
  totp_required: boolean
  organisation: Organisation | null
}

export type Barcode = { code: string; kind: 'gtin' | 'other'; quantity: string; level: 'each' | 'case' | 'pallet' }
export type Variant = {
  id: string
  product_id: string
  product_name: string
  sku: string
  name: string
  options: Record<string, string>
  attributes: Record<string, unknown>
  unit: string
  decimals: number
  barcodes: Barcode[]
  list_price: Money | null
  cost: Money | null
  weight_g: string | number | null
  dimensions_mm: number[] | null
  category_id: string | null
  category_name: string | null
  tracking: 'none' | 'lot' | 'serial'
  archived_at: string | null
  external_id: string | null
  metadata: Record<string, unknown>
  version: number
  can?: string[]
}

export type Category = { id: string; name: string; parent_id: string | null; path: string }
export type Location = {
  id: string
  code: string
  name: string
  kind: string
  role: string | null
  parent_id: string | null
  site_id: string | null
  path: string
  sells: boolean
  time_zone: string | null
  day_start: string | null
  closed_at: string | null
  latitude?: string | number | null
  longitude?: string | number | null
  external_id: string | null
  version: number
  can?: string[]
}

export type SiteLevel = {
  variant_id: string
  sku: string
  name: string
  unit: string
  site_id: string
  site_code: string
  on_hand: string
  sellable: string
  reserved: string
  available: string
  on_order: string
  in_transit: string
  overdrawn: string
  minimum: string | null
  list_price: Money | null
  cost?: Money | null
}

export type Level = {
  variant_id: string
  sku: string
  location_id: string
  location_code: string
  location_path: string
  lot_id: string | null
  lot_code: string | null
  condition: string | null
  on_hand: string
  allocated: string | null
  overdrawn: string
  unit: string
}

export type MatrixCell = { on_hand: string; available: string; reserved: string }
export type MatrixRow = {
  variant_id: string
  sku: string
  name: string
  unit: string
  category_name: string | null
  totals: { on_hand: string; available: string; reserved: string; on_order: string; in_transit: string }
  sites: Record<string, MatrixCell>
}

export type SourceRef = { type: string; id: string } | null
export type HistoryRow = {
  seq: string
  posting_id: string
  kind: string
  happened_at: string
  recorded_at: string
  quantity: string
  balance: string
  source: SourceRef
  actor: ActorRef | null
  lot_code: string | null
  condition: string
  reason: string | null
  location_code: string
  other_code: string | null
}
export type PostingPlace = { location_id: string; code: string; condition: string }
export type PostingLine = {
  variant_id: string
  sku: string
  lot_code: string | null
  from: PostingPlace
  to: PostingPlace
  quantity: string
  unit: string
  unit_cost?: Money | null
}
export type ReversalLine = { variant_id: string; sku: string; quantity: string; unit: string; from_code: string; from_condition: string; to_code: string; to_condition: string }
export type Posting = {
  id: string
  seq: string
  kind: string
  source: SourceRef
  actor: ActorRef | null
  happened_at: string
  recorded_at: string
  reason: string | null
  reverses: string | null
  reversed_by: string | null
  lines: PostingLine[]
  can: string[]
}
export type Explanation = {
  value: string
  unit: string
  rows: HistoryRow[]
  parts: { label: string; value: string }[]
  after_seq: string
  agrees: boolean
}
export type ChartPoint = { at: string; on_hand: string }

export type SaleSummary = {
  id: string
  number: string | null
  register: string
  site_id: string
  site_code: string
  happened_at: string
  recorded_at: string
  currency: string
  total: string
  tax: string
  discount: string
  units: number
  line_count: number
  state: 'completed' | 'refunded' | 'partly_refunded' | 'voided'
  refund_of?: string | null
}

export type OverviewSite = {
  site_id: string
  code: string
  name: string
  kind: string
  sales: number
  units: number
  revenue: Money
  below_minimum: number
  below_zero: number
  last_sale_at: string | null
}
export type OverviewMinute = { at: string; units: number; revenue: string }
export type Gap = Pick<SiteLevel, 'variant_id' | 'sku' | 'name' | 'unit' | 'site_id' | 'site_code' | 'available' | 'sellable' | 'minimum'>
export type Overview = {
  at: string
  today: { sales: number; units: number; revenue: Money }
  minutes: OverviewMinute[]
  sites: OverviewSite[]
  below_minimum: Gap[]
  below_zero: Gap[]
  stock_value: (Money & { basis: string }) | null
  drift: { count: number; verified_at: string } | null
  open_exceptions: number
  recent_sales: RecentSale[]
}
export type RecentSale = Pick<SaleSummary, 'number' | 'register' | 'site_id' | 'site_code' | 'happened_at' | 'total' | 'currency'> & {
  sale_id: string
  units: number
  line_count?: number
  /** Only on those that arrived by the stream. */
  lines?: SaleCompleted['lines']
}

export type SearchHit = { kind: string; id: string; title: string; subtitle: string | null; match: 'barcode' | 'sku' | 'words' | 'fuzzy' }
export type ScanHit = { kind: string; id: string; title?: string; quantity?: string }
export type SavedView = { id: string; page: string; name: string; query: string; shared: boolean; mine?: boolean }

export type CloudEvent<T = Record<string, unknown>> = {
  specversion: '1.0'
  id: string
  source: string
  type: string
  subject: string
  time: string
  recordedtime: string
  sequence: string
  partitionkey: string
  data: T
}
export type LevelChanged = {
  variant_id: string
  sku: string
  site_id: string
  site_code: string
  sellable: string
  reserved: string
  available: string
  overdrawn: string
  /** Change of sellable; on hand moves with it. */
  delta: string
  seq: string
}
export type SaleCompleted = {
  sale_id: string
  number: string | null
  register: string
  site_id: string
  site_code: string
  happened_at: string
  total: string
  currency: string
  units: number
  lines: { variant_id: string | null; sku: string; name: string; quantity: string; total: string }[]
}
