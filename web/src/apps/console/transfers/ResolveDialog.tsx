import { Button, Group, Modal, SegmentedControl, Select, Stack, Text, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '../../../api/client'
import { asProblem } from '../../../api/problem'
import type { TransferDetail } from '../../../api/types'
import { useFormats, useShared, useTexts, useWord } from '../../../ui/i18n/useTexts'
import { words } from '../../../ui/i18n/words'
import { notifyDone } from '../../../ui/notify'
import { Problem } from '../../../ui/states'
import { add, fromTyped, sign, sum } from '../../../values/decimal'
import { uuid7 } from '../../../values/uuid7'
import { transferTexts } from './texts'
import css from './transfers.module.css'

type Outcome = 'lost' | 'returned' | 'found'
const REASONS = ['shrinkage', 'theft', 'damaged', 'expired', 'other'] as const

/** What became of goods that are still on the way: lost, back at the source, or found after all. */
export function ResolveDialog({ transfer, onClose, onDone }: { transfer: TransferDetail; onClose: () => void; onDone: () => Promise<unknown> }) {
  const t = useTexts(transferTexts)
  const s = useShared()
  return (
    <Modal opened onClose={onClose} title={t('resolveTitle')} closeButtonProps={{ 'aria-label': s('close') }}>
      <Form transfer={transfer} onClose={onClose} onDone={onDone} />
    </Modal>
  )
}

function Form({ transfer, onClose, onDone }: { transfer: TransferDetail; onClose: () => void; onDone: () => Promise<unknown> }) {
  const t = useTexts(transferTexts)
  const s = useShared()
  const word = useWord(words)
  const formats = useFormats()
  const [id, setId] = useState(() => uuid7())
  const moving = transfer.lines.some((line) => sign(line.in_transit) > 0)
  const [outcome, setOutcome] = useState<Outcome>(moving ? 'lost' : 'found')
  const [reason, setReason] = useState<string>('shrinkage')
  const [note, setNote] = useState('')
  const [typed, setTyped] = useState<Record<string, string>>({})
  const most = (line: TransferDetail['lines'][number]) => (outcome === 'found' ? add(line.in_transit, line.lost) : line.in_transit)
  const lines = transfer.lines.filter((line) => sign(most(line)) > 0)
  const read = (line: TransferDetail['lines'][number]) => (typed[line.id] === undefined ? most(line) : fromTyped(typed[line.id] || '0', formats.decimalMark))
  const taken = lines.map((line) => ({ line_id: line.id, quantity: read(line) })).filter((line) => line.quantity !== null && sign(line.quantity) > 0)
  const valid = taken.length > 0 && lines.every((line) => read(line) !== null)
  const send = useMutation({
    mutationFn: () => api.post('/v1/transfers/{transfer_id}/resolutions', { id, outcome, lines: taken, ...(outcome === 'lost' ? { reason } : {}), ...(note.trim() ? { note: note.trim() } : {}) }, { path: { transfer_id: transfer.id } }),
    onSuccess: async () => {
      notifyDone(t('resolvedDone'))
      onClose()
      await onDone()
    },
    onError: (error) => {
      if (asProblem(error).status !== 0) setId(uuid7())
    },
  })
  return (
    <Stack gap="sm" data-testid="resolve-form">
      <Text size="sm" c="dimmed">{t('resolveHint', { number: transfer.number, from: transfer.from_site_code, to: transfer.to_site_code })}</Text>
      <SegmentedControl fullWidth value={outcome} onChange={(next) => setOutcome(next as Outcome)} data={(moving ? (['lost', 'returned', 'found'] as const) : (['found'] as const)).map((value) => ({ value, label: t(value) }))} aria-label={t('resolveTitle')} />
      <div>
        {lines.map((line) => (
          <div key={line.id} className={css.line}>
            <div>
              <div className={css.name}>{line.name}</div>
              <Text size="xs" c="dimmed" className="mono">{line.sku}</Text>
            </div>
            <TextInput
              w={130}
              aria-label={t('quantityOf', { name: line.name })}
              inputMode="decimal"
              value={typed[line.id] ?? formats.quantity(most(line))}
              error={read(line) === null ? t('badNumber') : undefined}
              onChange={(event) => {
                const next = event.currentTarget.value
                setTyped((before) => ({ ...before, [line.id]: next }))
              }}
              rightSection={<Text size="xs" c="dimmed">{t('ofMost', { most: formats.quantity(most(line)) })}</Text>}
              rightSectionWidth={58}
              data-testid={`resolve-${line.sku}`}
            />
          </div>
        ))}
      </div>
      {outcome === 'lost' ? <Select label={t('why')} data={REASONS.map((each) => ({ value: each, label: word(each) }))} value={reason} onChange={(next) => setReason(next ?? 'shrinkage')} allowDeselect={false} /> : null}
      <TextInput label={`${s('note')} (${s('optional')})`} value={note} maxLength={500} onChange={(event) => setNote(event.currentTarget.value)} />
      {send.error ? <Problem error={send.error} /> : null}
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>{s('cancel')}</Button>
        <Button disabled={!valid} loading={send.isPending} onClick={() => send.mutate()} data-testid="resolve-submit">{t('resolveSubmit', { count: formats.quantity(sum(taken.map((line) => line.quantity ?? '0'))) })}</Button>
      </Group>
    </Stack>
  )
}
