import { Badge, Button, Drawer, Stack, Text } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '../../../api/client'
import { useMay } from '../../../api/session'
import type { Hold, HoldFull } from '../../../api/types'
import { DataList } from '../../../ui/datalist/DataList'
import type { Column } from '../../../ui/datalist/logic'
import { listKey } from '../../../ui/datalist/useListData'
import css from '../../../ui/detail.module.css'
import { Facts } from '../../../ui/Facts'
import { Go } from '../../../ui/Go'
import { Icon } from '../../../ui/Icon'
import { useShared, useTexts, useWord } from '../../../ui/i18n/useTexts'
import { words } from '../../../ui/i18n/words'
import { notifyDone } from '../../../ui/notify'
import { Quantity, When } from '../../../ui/numbers'
import { Page } from '../../../ui/Page'
import { ReasonForm } from '../../../ui/ReasonForm'
import { Empty, Loading, Problem } from '../../../ui/states'
import { paths } from '../../../values/paths'
import { HoldDialog } from './HoldDialog'
import { qualityTexts } from './texts'

const COLORS = { hold: 'amber', quarantine: 'amber', recalled: 'brick' } as Record<string, string>

/** What a hold covers, in a line. */
export function useScopeOf(): (hold: Hold) => string {
  const t = useTexts(qualityTexts)
  return (hold) => [hold.lot_code ? `${hold.sku} · ${hold.lot_code}` : hold.sku ?? t('anyItem'), hold.location_path ?? t('everywhere')].join(' – ')
}

export function HoldsPage() {
  const t = useTexts(qualityTexts)
  const s = useShared()
  const word = useWord(words)
  const may = useMay()
  const client = useQueryClient()
  const scope = useScopeOf()
  const [open, setOpen] = useState<string | null>(null)
  const [placing, setPlacing] = useState(false)
  const again = () => client.invalidateQueries({ queryKey: listKey('/v1/holds') })
  const columns: Column<Hold>[] = [
    { id: 'scope', header: t('scope'), width: 'minmax(170px, 2fr)', narrow: 'title', cell: (row) => scope(row) },
    { id: 'condition', header: s('condition'), width: '125px', narrow: 'corner', cell: (row) => <Badge color={row.state === 'open' ? COLORS[row.condition] : 'gray'}>{word(row.condition)}</Badge> },
    { id: 'reason', header: s('reason'), width: 'minmax(130px, 2fr)', cell: (row) => row.reason },
    { id: 'levels', header: t('levels'), width: '80px', align: 'right', cell: (row) => <span className="num">{row.levels}</span> },
    { id: 'placed', header: t('placed'), width: '165px', cell: (row) => <When at={row.placed_at} /> },
    { id: 'by', header: t('placedBy'), width: '110px', narrow: 'hide', cell: (row) => row.placed_by_name },
    { id: 'released', header: t('releasedAt'), width: '165px', cell: (row) => (row.released_at ? <When at={row.released_at} /> : t('open')) },
  ]
  return (
    <Page
      title={t('holds')}
      lead={t('holdsLead')}
      fill
      testId="page-holds"
      actions={
        may('stock:hold') ? (
          <Button leftSection={<Icon name="plus" size={16} />} onClick={() => setPlacing(true)} data-testid="new-hold">
            {t('newHold')}
          </Button>
        ) : null
      }
    >
      <DataList<Hold>
        page="quality.holds"
        label={t('holds')}
        path="/v1/holds"
        columns={columns}
        filters={[
          { param: 'state', label: s('state'), kind: 'choice', options: [{ value: 'open', label: t('open') }, { value: 'released', label: t('releasedAt') }] },
          { param: 'condition', label: s('condition'), kind: 'choice', options: (['hold', 'quarantine', 'recalled'] as const).map((value) => ({ value, label: word(value) })) },
        ]}
        rowId={(row) => row.id}
        onOpen={(row) => setOpen(row.id)}
        live={['stock.held', 'stock.released', 'lot.recalled']}
        empty={
          <Empty title={t('noHolds')} icon="approve">
            {t('noHoldsHint')}
          </Empty>
        }
      />
      <Drawer opened={open !== null} onClose={() => setOpen(null)} position="right" size="lg" title={t('holdOne')} closeButtonProps={{ 'aria-label': s('close') }}>
        {open ? <HoldView id={open} onDone={again} /> : null}
      </Drawer>
      {placing ? <HoldDialog onClose={() => setPlacing(false)} onDone={again} /> : null}
    </Page>
  )
}

/** One hold: what, why, who, what it took; and its release. `brief` leaves away what stands around it. */
export function HoldView({ id, onDone, brief }: { id: string; onDone: () => Promise<unknown>; brief?: boolean }) {
  const t = useTexts(qualityTexts)
  const s = useShared()
  const word = useWord(words)
  const may = useMay()
  const client = useQueryClient()
  const scope = useScopeOf()
  const [releasing, setReleasing] = useState(false)
  const found = useQuery({ queryKey: ['hold', id], queryFn: () => api.get<HoldFull>('/v1/holds/{id}', { path: { id } }) })
  if (found.error) return <Problem error={found.error} retry={() => void found.refetch()} />
  if (!found.data) return <Loading />
  const hold = found.data
  return (
    <Stack data-testid="hold">
      <Text>{hold.reason}</Text>
      <Facts
        facts={[
          [t('scope'), brief && !hold.location_path ? null : hold.lot_id ? <Go key="l" href={paths.lot(hold.lot_id)}>{scope(hold)}</Go> : scope(hold)],
          [s('condition'), brief ? null : word(hold.condition)],
          [t('placed'), <span key="p"><When at={hold.placed_at} /> · {hold.placed_by_name}</span>],
          [t('releasedAt'), hold.released_at ? <span key="r"><When at={hold.released_at} /> · {hold.released_by_name}</span> : null],
          [t('releaseReason'), hold.release_reason],
        ]}
      />
      {hold.can.includes('release') && may('stock:hold') ? (
        releasing ? (
          <ReasonForm
            label={t('releaseReason')}
            submit={t('releaseDone')}
            run={async (reason) => {
              await api.post('/v1/holds/{id}/release', { reason }, { path: { id }, ifMatch: hold.version })
              notifyDone(t('released'))
              await Promise.all([client.invalidateQueries({ queryKey: ['hold', id] }), onDone()])
            }}
            onDone={() => setReleasing(false)}
            onCancel={() => setReleasing(false)}
            testId="release-form"
          >
            <Text size="sm">{t('releaseHint')}</Text>
          </ReasonForm>
        ) : (
          <Button variant="default" onClick={() => setReleasing(true)} style={{ alignSelf: 'start' }} data-testid="release">
            {t('release')}
          </Button>
        )
      ) : null}
      {hold.lines.length && !brief ? (
        <div className={css.scroll} tabIndex={0} role="group" aria-label={t('lines')}>
          <table className={css.rows}>
            <thead>
              <tr>
                <th scope="col">{t('lines')}</th>
                <th scope="col">{t('lot')}</th>
                <th scope="col" className={css.n}>{s('quantity')}</th>
              </tr>
            </thead>
            <tbody>
              {hold.lines.map((line, index) => (
                <tr key={index}>
                  <th scope="row"><span className="mono">{line.location_path}</span></th>
                  <td className="mono">{line.sku}{line.lot_code ? ` · ${line.lot_code}` : ''}</td>
                  <td className={css.n}><Quantity value={line.quantity} unit={line.unit} /></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
    </Stack>
  )
}
