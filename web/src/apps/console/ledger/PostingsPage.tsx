import { useNavigate, useParams } from '@tanstack/react-router'

import type { Posting } from '../../../api/types'
import { DataList } from '../../../ui/datalist/DataList'
import type { Column } from '../../../ui/datalist/logic'
import { useShared, useTexts, useWord } from '../../../ui/i18n/useTexts'
import { words } from '../../../ui/i18n/words'
import { Quantity, When } from '../../../ui/numbers'
import { Page } from '../../../ui/Page'
import { paths } from '../../../values/paths'
import { PostingView } from './PostingDrawer'
import { variantTexts } from './texts'

const KINDS = ['sell', 'return', 'receive', 'ship', 'move', 'transfer', 'adjust', 'set', 'count', 'scrap', 'hold', 'release_hold', 'reverse'] as const

export function PostingsPage() {
  const t = useTexts(variantTexts)
  const s = useShared()
  const word = useWord(words)
  const navigate = useNavigate()
  const columns: Column<Posting>[] = [
    { id: 'happened', header: t('happened'), width: '200px', narrow: 'title', cell: (row) => <When at={row.happened_at} /> },
    { id: 'recorded', header: t('recorded'), width: '200px', hidden: true, cell: (row) => <When at={row.recorded_at} /> },
    { id: 'kind', header: s('kind'), width: '130px', narrow: 'corner', cell: (row) => word(row.kind) },
    { id: 'what', header: s('variant'), width: 'minmax(160px, 2fr)', cell: (row) => row.lines.map((line) => line.sku).join(', ') },
    { id: 'where', header: t('fromTo'), width: 'minmax(180px, 2fr)', cell: (row) => (row.lines[0] ? `${row.lines[0].from?.code ?? '–'} → ${row.lines[0].to?.code ?? '–'}` : '–') },
    { id: 'quantity', header: s('quantity'), width: '90px', align: 'right', cell: (row) => <Quantity value={row.lines[0]?.quantity} /> },
    { id: 'who', header: s('who'), width: 'minmax(120px, 1fr)', cell: (row) => row.actor?.name ?? s('system') },
    { id: 'seq', header: '#', width: '100px', cell: (row) => <span className="num">{row.seq}</span> },
  ]
  return (
    <Page title={t('postings')} lead={t('postingsLead')} fill testId="page-postings">
      <DataList<Posting>
        page="ledger.postings"
        label={t('postings')}
        path="/v1/postings"
        columns={columns}
        filters={[
          { param: 'kind', label: s('kind'), kind: 'choice', options: KINDS.map((kind) => ({ value: kind, label: word(kind) })) },
          { param: 'happened_after', label: t('happenedAfter'), kind: 'date' },
        ]}
        rowId={(row) => row.id}
        onOpen={(row) => void navigate({ href: paths.posting(row.id) })}
        live={['stock.level_changed']}
      />
    </Page>
  )
}

export function PostingPage() {
  const t = useTexts(variantTexts)
  const { id = '' } = useParams({ strict: false })
  return (
    <Page title={t('posting', { seq: '' }).trim()} testId="page-posting">
      <section className="card" style={{ padding: 18, maxWidth: 760 }}>
        <PostingView id={id} />
      </section>
    </Page>
  )
}
