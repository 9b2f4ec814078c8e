/**
 * The shapes screens read, by the names screens use. They come from the server's own description (docs/openapi.json,
 * `npm run gen`): a field the server drops stops compiling here. Quantities and money are decimal strings.
 */
import type { Money } from '../values/money'
import type { components } from './__generated__/schema'

type S = components['schemas']

export type { Money }
export type Page<T> = { data: T[]; next_cursor: string | null; has_more: boolean }
export type ActorRef = S['onhand__ledger__api__shapes__ActorOut']

export type Organisation = S['OrganisationOut']
export type Me = S['Me']
export type Barcode = S['BarcodeOut']
export type Variant = S['VariantOut']
export type Category = S['CategoryOut']
export type Location = S['LocationOut']
export type SiteLevel = S['SiteLevelOut']
export type Level = S['LevelOut']
export type MatrixCell = S['CellOut']
export type MatrixRow = S['MatrixOut']
export type HistoryRow = S['HistoryOut']
export type PostingLine = S['LineOut']
export type Posting = S['PostingOut']
export type Explanation = S['ExplainOut']
export type ChartPoint = S['ChartOut']
export type SaleSummary = S['SaleOut']
export type Overview = Omit<S['OverviewOut'], 'recent_sales'> & { recent_sales: RecentSale[] }
export type OverviewSite = S['SiteOut']
export type OverviewMinute = S['MinuteOut']
export type Gap = S['GapOut']
/** As read, or as it arrived by the stream: then with its lines. */
export type RecentSale = Omit<S['RecentSaleOut'], 'line_count' | 'site_name'> & { line_count?: number; lines?: SaleCompleted['lines'] }
export type SearchHit = S['HitOut']
export type ScanHit = S['ScanOut']
export type SavedView = S['ViewOut']
export type Register = S['RegisterOut']
export type ReversalLine = { variant_id: string; sku: string; quantity: string; unit: string; from_code: string; from_condition: string; to_code: string; to_condition: string }

export type Lot = S['LotOut']
export type LotFull = S['LotFullOut']
export type LifeEntry = S['LifeOut']
export type Hold = S['HoldOut']
export type HoldFull = S['HoldFullOut']
export type Affected = S['AffectedOut']
export type SaleDetail = S['SaleDetail']
export type SaleLine = S['SaleLineOut']
export type ExceptionRow = S['ExceptionOut']
export type Approval = S['ApprovalOut']
export type Reservation = S['ReservationOut']
export type Backorder = S['BackorderOut']
export type LotPolicy = S['PolicyOut']
export type ServePlan = S['onhand__quality__api__shapes__PreviewOut']
export type Party = S['PartyOut']
export type ReservationStep = S['StepOut']
export type Channel = S['ChannelOut']
export type ChannelBuffer = S['BufferOut']
export type TransferRow = S['TransferRow']
export type TransferDetail = S['TransferDetail']
export type TransferLine = S['TransferLineOut']
export type TransferTotal = S['TransferTotal']
export type TransferProposal = S['ProposalOut']
export type LpnMoved = S['LpnMoveOut']
export type TransferMade = S['TransferOut']
export type Job = S['JobOut']
export type Integrity = S['IntegrityOut']
export type ServerState = S['ServerOut']
export type Backup = S['BackupOut']
export type ImportKind = S['ImportKindOut']
export type ImportRow = S['ImportOut']
export type ImportDetail = S['ImportDetailOut']
export type RowError = S['RowErrorOut']
export type SavedMapping = S['MappingOut']
export type UploadedFile = S['FileOut']
export type User = S['UserOut']
export type Assignment = S['AssignmentOut']
export type Role = S['RoleOut']
export type Permission = S['PermissionOut']
export type ApiKey = S['KeyOut']
export type Session = S['SessionOut']
export type AuditRow = S['AuditOut']
export type EventFeed = { data: CloudEvent[]; after: string; through: string; head: string }

export type CountPolicy = S['CountPolicyOut']
export type CountPlan = S['CountPlanOut']
export type CountShelf = S['ShelfOut']
export type CountSheet = S['SheetOut']
export type BinCount = S['BinCountOut']
export type CountEntry = S['CountEntryOut']
export type CountReview = S['ReviewOut']
export type CountReviewLine = S['ReviewLineOut']
export type CountCorrection = S['CorrectionOut']
export type ShrinkageRow = S['ShrinkageOut']
export type OverrideRow = S['OverrideOut']

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
