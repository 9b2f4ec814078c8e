import { Button, Group, Modal, Select, Stack, Text, TextInput } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '../../../api/client'
import { readAll } from '../../../api/places'
import { asProblem } from '../../../api/problem'
import type { Register, SaleDetail, SaleLine } from '../../../api/types'
import css from '../../../ui/detail.module.css'
import { useFormats, useShared, useTexts, useWord } from '../../../ui/i18n/useTexts'
import { words } from '../../../ui/i18n/words'
import { notifyDone } from '../../../ui/notify'
import { Problem } from '../../../ui/states'
import { compare, fromTyped, sign, sum } from '../../../values/decimal'
import { uuid7 } from '../../../values/uuid7'
import { returnable, shareOf } from './amounts'
import { posTexts } from './texts'

type Chosen = { quantity: string; amount: string; condition: string }
const CONDITIONS = ['available', 'quarantine', 'damaged'] as const
const TENDERS = ['cash', 'card', 'voucher', 'other'] as const

/** Which lines come back, how much of each, for how much money, into which condition. */
export function RefundDialog({ sale, onClose, onDone }: { sale: SaleDetail; onClose: () => void; onDone: () => Promise<unknown> }) {
  const t = useTexts(posTexts)
  const s = useShared()
  return (
    <Modal opened onClose={onClose} size="lg" title={t('refundDialog', { number: sale.number ?? t('noNumber') })} closeButtonProps={{ 'aria-label': s('close') }}>
      <Form sale={sale} onClose={onClose} onDone={onDone} />
    </Modal>
  )
}

function Form({ sale, onClose, onDone }: { sale: SaleDetail; onClose: () => void; onDone: () => Promise<unknown> }) {
  const t = useTexts(posTexts)
  const s = useShared()
  const tenderWord = useWord(posTexts)
  const formats = useFormats()
  const mark = formats.decimalMark
  const [id, setId] = useState(() => uuid7())
  const [at] = useState(() => new Date().toISOString())
  const [chosen, setChosen] = useState<Record<number, Chosen>>({})
  const [tender, setTender] = useState<string>(sale.tenders[0]?.kind ?? 'cash')
  const [register, setRegister] = useState(sale.register)
  const [tried, setTried] = useState(false)
  const registers = useQuery({ queryKey: ['registers'], queryFn: () => readAll<Register>('/v1/registers'), staleTime: 60_000 })
  const tills = [...new Set([sale.register, ...(registers.data ?? []).filter((till) => till.site_id === sale.site_id).map((till) => till.code)])]

  const lines = sale.lines.filter((line) => line.resolved && sign(returnable(line)) > 0)
  const read = (line: SaleLine) => {
    const typed = chosen[line.line]
    const quantity = typed?.quantity.trim() ? fromTyped(typed.quantity, mark) : '0'
    const amount = typed?.amount.trim() ? fromTyped(typed.amount, mark) : '0'
    const most = returnable(line)
    const wrong = quantity === null || sign(quantity) < 0 ? t('badNumber') : compare(quantity, most) > 0 ? t('tooMany', { most: formats.quantity(most) }) : null
    return { line, quantity: quantity ?? '0', amount: amount ?? '0', wrong, wrongAmount: amount === null || sign(amount) < 0 ? t('badNumber') : null, condition: typed?.condition ?? 'available' }
  }
  const rows = lines.map(read)
  const taken = rows.filter((row) => !row.wrong && sign(row.quantity) > 0)
  const total = sum(taken.map((row) => row.amount))
  const valid = taken.length > 0 && rows.every((row) => !row.wrong && !row.wrongAmount)
  const set = (line: SaleLine, patch: Partial<Chosen>) => {
    setChosen((before) => ({ ...before, [line.line]: { quantity: '', amount: '', condition: 'available', ...before[line.line], ...patch } }))
  }
  const setQuantity = (line: SaleLine, typed: string) => {
    const quantity = fromTyped(typed, mark)
    const fits = quantity !== null && sign(quantity) > 0 && compare(quantity, returnable(line)) <= 0
    set(line, { quantity: typed, amount: fits ? shareOf(line, quantity).replace('.', mark) : '' })
  }
  const send = useMutation({
    mutationFn: () =>
      api.post('/v1/pos/refunds', {
        id,
        sale_id: sale.id,
        register,
        happened_at: at,
        lines: taken.map(({ line, quantity, amount, condition }) => ({ line: line.line, quantity, amount, condition })),
        tenders: sign(total) > 0 ? [{ kind: tender, amount: total }] : [],
      }),
    onSuccess: async () => {
      notifyDone(t('refunded'))
      onClose()
      await onDone()
    },
    // A refusal is not remembered; the next try is another refund.
    onError: (error) => {
      if (asProblem(error).status !== 0) setId(uuid7())
    },
  })
  if (!lines.length) return <Text>{t('soldNothing')}</Text>
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        setTried(true)
        if (valid) send.mutate()
      }}
    >
      <Stack gap="sm" data-testid="refund-form">
        <Text size="sm" c="dimmed">{t('refundHint')}</Text>
        {rows.map((row) => (
          <LineChoice key={row.line.line} row={row} typed={chosen[row.line.line]} setQuantity={(typed) => setQuantity(row.line, typed)} set={(patch) => set(row.line, patch)} />
        ))}
        <Group grow align="flex-start">
          <Select label={t('payBack')} data={TENDERS.map((kind) => ({ value: kind, label: tenderWord(kind) }))} value={tender} onChange={(next) => setTender(next ?? 'cash')} allowDeselect={false} />
          <Select label={t('atTill')} data={tills} value={register} onChange={(next) => setRegister(next ?? sale.register)} allowDeselect={false} />
        </Group>
        <dl className={css.sums}>
          <dt className={css.total}>{t('refundSum')}</dt>
          <dd className={css.total} data-testid="refund-sum">{formats.money({ amount: total, currency: sale.currency })}</dd>
        </dl>
        {tried && !taken.length ? <Text size="sm" className="bad" role="alert">{t('nothingChosen')}</Text> : null}
        {send.error ? <Problem error={send.error} /> : null}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>{s('cancel')}</Button>
          <Button type="submit" loading={send.isPending} data-testid="refund-submit">
            {t('refundSubmit', { amount: formats.money({ amount: total, currency: sale.currency }) })}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

type Read = { line: SaleLine; quantity: string; wrong: string | null; wrongAmount: string | null; condition: string }

function LineChoice({ row, typed, setQuantity, set }: { row: Read; typed: Chosen | undefined; setQuantity: (typed: string) => void; set: (patch: Partial<Chosen>) => void }) {
  const t = useTexts(posTexts)
  const word = useWord(words)
  const formats = useFormats()
  const { line } = row
  const most = returnable(line)
  const name = line.name || line.sku
  const on = sign(row.quantity) > 0
  return (
    <fieldset style={{ border: 0, borderTop: '1px solid var(--oh-line)', margin: 0, padding: '10px 0 0' }}>
      <legend style={{ float: 'left', width: '100%', padding: 0, fontWeight: 600, fontSize: '0.9rem' }}>{name}</legend>
      <Group align="flex-start" gap="sm" style={{ clear: 'both' }} wrap="wrap">
        <TextInput
          label={`${t('back')} ${t('ofMost', { most: formats.quantity(most) })}`}
          inputMode="decimal"
          w={150}
          value={typed?.quantity ?? ''}
          placeholder="0"
          error={row.wrong}
          onChange={(event) => setQuantity(event.currentTarget.value)}
          data-testid={`refund-quantity-${line.line}`}
        />
        <Button variant="subtle" mt={25} px="xs" onClick={() => setQuantity(most.replace('.', formats.decimalMark))} aria-label={`${t('all')}: ${name}`}>
          {t('all')}
        </Button>
        <TextInput label={t('amount')} inputMode="decimal" w={120} value={typed?.amount ?? ''} disabled={!on} error={row.wrongAmount} onChange={(event) => set({ amount: event.currentTarget.value })} />
        <Select label={t('condition')} w={150} data={CONDITIONS.map((each) => ({ value: each, label: word(each) }))} value={row.condition} disabled={!on} onChange={(next) => set({ condition: next ?? 'available' })} allowDeselect={false} />
      </Group>
    </fieldset>
  )
}
