import { Badge, Button, Drawer, Group, Stack, Text } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '../../../api/client'
import { useMay } from '../../../api/session'
import type { Approval } from '../../../api/types'
import { DataList } from '../../../ui/datalist/DataList'
import type { Column } from '../../../ui/datalist/logic'
import { listKey } from '../../../ui/datalist/useListData'
import { Facts } from '../../../ui/Facts'
import { Go } from '../../../ui/Go'
import { useFormats, useShared, useTexts, useWord } from '../../../ui/i18n/useTexts'
import { words } from '../../../ui/i18n/words'
import { notifyDone } from '../../../ui/notify'
import { When } from '../../../ui/numbers'
import { Page } from '../../../ui/Page'
import { ReasonForm } from '../../../ui/ReasonForm'
import { Empty } from '../../../ui/states'
import { isDecimal } from '../../../values/decimal'
import { paths } from '../../../values/paths'
import { deskTexts } from './deskTexts'

/** The request as it was shown to who asked; the server keeps it as plain words. */
const field = (row: Approval, name: string): string => (typeof row.request[name] === 'string' ? row.request[name] : '')
const COLORS = { waiting: 'amber', approved: 'spruce', rejected: 'gray' } as const

function useChange(): (row: Approval) => string {
  const t = useTexts(deskTexts)
  const formats = useFormats()
  return (row) => {
    const quantity = field(row, 'quantity')
    if (!isDecimal(quantity)) return '–'
    const unit = field(row, 'unit')
    const text = row.verb === 'adjust' ? formats.change(quantity) : t('setTo', { quantity: formats.quantity(quantity) })
    return `${text} ${unit}`
  }
}

export function ApprovalsPage() {
  const t = useTexts(deskTexts)
  const s = useShared()
  const word = useWord(words)
  const change = useChange()
  const client = useQueryClient()
  const [open, setOpen] = useState<Approval | null>(null)
  const columns: Column<Approval>[] = [
    { id: 'asked', header: t('askedAt'), width: '165px', cell: (row) => <When at={row.asked_at} /> },
    { id: 'by', header: t('askedBy'), width: 'minmax(110px, 1fr)', cell: (row) => row.asked_by.name },
    { id: 'what', header: t('what'), width: 'minmax(150px, 2fr)', narrow: 'title', cell: (row) => `${field(row, 'name')} (${field(row, 'sku')})` },
    { id: 'place', header: t('place'), width: '90px', cell: (row) => field(row, 'location') || row.site_code || '–' },
    { id: 'change', header: t('change'), width: '100px', align: 'right', cell: (row) => <span className="num">{change(row)}</span> },
    { id: 'reason', header: s('reason'), width: '110px', cell: (row) => word(field(row, 'reason')) },
    { id: 'state', header: s('state'), width: '110px', narrow: 'corner', cell: (row) => <Badge color={COLORS[row.state]}>{word(row.state)}</Badge> },
    { id: 'why', header: t('why'), width: 'minmax(160px, 2fr)', hidden: true, cell: (row) => row.why },
  ]
  return (
    <Page title={t('approvals')} lead={t('approvalsLead')} fill testId="page-approvals">
      <DataList<Approval>
        page="ledger.approvals"
        label={t('approvals')}
        path="/v1/approvals"
        columns={columns}
        filters={[{ param: 'state', label: s('state'), kind: 'choice', options: (['waiting', 'approved', 'rejected'] as const).map((state) => ({ value: state, label: word(state) })) }]}
        rowId={(row) => row.id}
        onOpen={setOpen}
        live={['approval.asked', 'approval.decided']}
        empty={
          <Empty title={t('noApprovals')} icon="approve">
            {t('noApprovalsHint')}
          </Empty>
        }
      />
      <Drawer opened={open !== null} onClose={() => setOpen(null)} position="right" size="lg" title={t('approval')} closeButtonProps={{ 'aria-label': s('close') }}>
        {open ? <Details row={open} onClose={() => setOpen(null)} onDone={() => client.invalidateQueries({ queryKey: listKey('/v1/approvals') })} /> : null}
      </Drawer>
    </Page>
  )
}

function Details({ row, onClose, onDone }: { row: Approval; onClose: () => void; onDone: () => Promise<unknown> }) {
  const t = useTexts(deskTexts)
  const s = useShared()
  const word = useWord(words)
  const may = useMay()
  const change = useChange()
  const [doing, setDoing] = useState<'approve' | 'reject' | null>(null)
  const decidable = may('stock:approve', row.site_id)
  const variant = field(row, 'variant_id')
  const decide = async (verb: 'approve' | 'reject', reason: string) => {
    await api.post(`/v1/approvals/{id}/${verb}`, reason ? { reason } : {}, { path: { id: row.id } })
    notifyDone(t(verb === 'approve' ? 'approved' : 'rejected'))
    await onDone()
  }
  return (
    <Stack data-testid="approval">
      <Text>{row.why}</Text>
      <Facts
        facts={[
          [t('what'), variant ? <Go key="v" href={paths.variant(variant, { site_id: row.site_id ?? undefined })}>{`${field(row, 'name')} (${field(row, 'sku')})`}</Go> : field(row, 'sku')],
          [t('change'), change(row)],
          [t('place'), field(row, 'location')],
          [s('condition'), word(field(row, 'condition'))],
          [s('lot'), field(row, 'lot_code')],
          [s('reason'), word(field(row, 'reason'))],
          [s('note'), field(row, 'note')],
          [t('askedBy'), row.asked_by.name],
          [t('askedAt'), <When key="a" at={row.asked_at} />],
          [s('state'), word(row.state)],
          [t('decided'), row.decided_at ? <span key="d"><When at={row.decided_at} /> · {row.decided_by?.name}</span> : null],
          [t('decision'), row.decision_note],
        ]}
      />
      {row.state === 'waiting' && decidable && !row.can.length ? <Text c="dimmed" size="sm">{t('ownRequest')}</Text> : null}
      {decidable && row.can.length && !doing ? (
        <Group>
          {row.can.includes('approve') ? (
            <Button onClick={() => setDoing('approve')} data-testid="approve">
              {t('approve')}
            </Button>
          ) : null}
          {row.can.includes('reject') ? (
            <Button variant="default" onClick={() => setDoing('reject')} data-testid="reject">
              {t('reject')}
            </Button>
          ) : null}
        </Group>
      ) : null}
      {doing ? (
        <ReasonForm
          key={doing}
          label={t(doing === 'approve' ? 'approveLabel' : 'rejectLabel')}
          submit={t(doing === 'approve' ? 'approveTitle' : 'rejectTitle')}
          optional={doing === 'approve'}
          danger={doing === 'reject'}
          run={(reason) => decide(doing, reason)}
          onDone={onClose}
          onCancel={() => setDoing(null)}
          testId="decision"
        />
      ) : null}
    </Stack>
  )
}
