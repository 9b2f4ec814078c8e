import { ActionIcon, Button, Checkbox, Group, Modal, Stack, Switch, Text, TextInput } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useMutation } from '@tanstack/react-query'
import { useRef, useState } from 'react'

import { api } from '../../../api/client'
import { asProblem } from '../../../api/problem'
import type { TransferDetail, TransferLine } from '../../../api/types'
import { Icon } from '../../../ui/Icon'
import { useFormats, useShared, useTexts } from '../../../ui/i18n/useTexts'
import { notifyDone } from '../../../ui/notify'
import { PlaceSelect } from '../../../ui/PlaceSelect'
import { Problem } from '../../../ui/states'
import { compare, sign } from '../../../values/decimal'
import { uuid7 } from '../../../values/uuid7'
import { countedTotal, fillUp, lineOf, NOTHING, plus, readEntry, times, totalOf, type Counted } from './counting'
import { transferTexts } from './texts'
import css from './transfers.module.css'

type Props = { step: 'ship' | 'receive'; transfer: TransferDetail; onClose: () => void; onDone: () => Promise<unknown> }

/** Shipping or receiving, by scan or by thumb: a scan adds one, "3*" before it three. Fills a phone's screen. */
export function StepDialog(props: Props) {
  const t = useTexts(transferTexts)
  const s = useShared()
  const narrow = useMediaQuery('(max-width: 30em)') ?? false
  const title = t(props.step === 'ship' ? 'shipTitle' : 'receiveTitle', { number: props.transfer.number })
  return (
    <Modal opened onClose={props.onClose} size="lg" fullScreen={narrow} title={title} closeButtonProps={{ 'aria-label': s('close') }}>
      <Form {...props} />
    </Modal>
  )
}

function Form({ step, transfer, onClose, onDone }: Props) {
  const t = useTexts(transferTexts)
  const s = useShared()
  const formats = useFormats()
  const [id, setId] = useState(() => uuid7())
  const [at] = useState(() => new Date().toISOString())
  const [counted, setCounted] = useState<Counted>({})
  const [damaged, setDamaged] = useState(false)
  const [complete, setComplete] = useState(false)
  const [place, setPlace] = useState<string | null>(null)
  const most = (line: TransferLine) => (step === 'ship' ? line.to_ship : line.in_transit)
  const lines = transfer.lines.filter((line) => sign(most(line)) > 0 || sign(totalOf(counted[line.id])) > 0)
  const total = countedTotal(counted)
  const short = lines.some((line) => compare(totalOf(counted[line.id]), most(line)) < 0)
  const send = useMutation({
    mutationFn: (acceptOver: boolean) => {
      const taken = transfer.lines.filter((line) => sign(totalOf(counted[line.id])) > 0)
      const body = taken.map((line) => {
        const one = counted[line.id] ?? NOTHING
        return step === 'ship' ? { line_id: line.id, quantity: one.good } : { line_id: line.id, quantity: one.good, damaged: one.damaged }
      })
      const common = { id, happened_at: at, lines: body }
      return step === 'ship'
        ? api.post('/v1/transfers/{transfer_id}/shipments', common, { path: { transfer_id: transfer.id } })
        : api.post('/v1/transfers/{transfer_id}/receipts', { ...common, complete: complete && short, accept_over: acceptOver, ...(place ? { location_id: place } : {}) }, { path: { transfer_id: transfer.id } })
    },
    onSuccess: async () => {
      notifyDone(t(step === 'ship' ? 'shippedDone' : 'receivedDone'))
      onClose()
      await onDone()
    },
    onError: (error) => {
      if (asProblem(error).status !== 0) setId(uuid7())
    },
  })
  const over = send.error ? asProblem(send.error).code === 'over_receipt' : false
  const everything = () => setCounted((before) => lines.reduce((next, line) => fillUp(next, line.id, most(line)), before))
  return (
    <Stack gap="sm" data-testid={`${step}-form`}>
      <ScanField
        scanned={(text) => {
          const entry = readEntry(text)
          const hit = entry ? lineOf(transfer.lines, entry.code, counted, most) : null
          if (!entry || !hit) return t('notHere', { code: entry?.code ?? text })
          const next = plus(counted, hit.line.id, damaged ? 'damaged' : 'good', times(entry.times, hit.each))
          setCounted(next)
          send.reset()
          return t('counted', { name: hit.line.name, quantity: formats.quantity(totalOf(next[hit.line.id])) })
        }}
      />
      <Group justify="space-between">
        {step === 'receive' ? <Switch label={t('damagedMode')} checked={damaged} onChange={(event) => setDamaged(event.currentTarget.checked)} data-testid="damaged-mode" /> : <span />}
        <Group gap="xs">
          {sign(total) > 0 ? <Button variant="subtle" size="xs" onClick={() => setCounted({})}>{t('reset')}</Button> : null}
          <Button variant="light" size="xs" onClick={everything} data-testid="everything">{t('everything')}</Button>
        </Group>
      </Group>
      <div>
        {lines.map((line) => (
          <LineCount
            key={line.id}
            line={line}
            most={most(line)}
            one={counted[line.id] ?? NOTHING}
            step={step}
            change={(heap, by) => {
              setCounted((before) => plus(before, line.id, heap, by))
              send.reset()
            }}
            all={() => setCounted((before) => fillUp(before, line.id, most(line)))}
          />
        ))}
      </div>
      {step === 'receive' ? (
        <>
          <PlaceSelect label={`${t('into')} (${t('usual')})`} value={place} onChange={setPlace} />
          {short && sign(total) > 0 ? <Checkbox label={t('complete')} checked={complete} onChange={(event) => setComplete(event.currentTarget.checked)} data-testid="complete" /> : null}
        </>
      ) : null}
      {send.error ? <Problem error={send.error} /> : null}
      <div className={css.foot}>
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>{s('cancel')}</Button>
          {over ? (
            <Button color="amber" loading={send.isPending} onClick={() => send.mutate(true)} data-testid="really">{t('really')}</Button>
          ) : (
            <Button disabled={sign(total) <= 0} loading={send.isPending} onClick={() => send.mutate(false)} data-testid={`${step}-submit`}>
              {t(step === 'ship' ? 'shipSubmit' : 'receiveSubmit', { count: formats.quantity(total) })}
            </Button>
          )}
        </Group>
      </div>
    </Stack>
  )
}

/** Where a scanner types. It keeps the focus, says what it counted, and takes "3*" before a code. */
function ScanField({ scanned }: { scanned: (text: string) => string }) {
  const t = useTexts(transferTexts)
  const [text, setText] = useState('')
  const [said, setSaid] = useState('')
  const field = useRef<HTMLInputElement>(null)
  return (
    <TextInput
      ref={field}
      label={t('scan')}
      description={t('scanHint')}
      value={text}
      autoComplete="off"
      leftSection={<Icon name="barcode" size={16} />}
      onChange={(event) => setText(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key !== 'Enter') return
        event.preventDefault()
        if (!text.trim()) return
        setSaid(scanned(text))
        setText('')
        field.current?.focus()
      }}
      inputContainer={(input) => (
        <>
          {input}
          <Text size="sm" mt={4} role="status" mih={21} data-testid="scan-said">{said}</Text>
        </>
      )}
      data-autofocus
      data-testid="scan-field"
    />
  )
}

type LineProps = { line: TransferLine; most: string; one: Counted[string]; step: 'ship' | 'receive'; change: (heap: 'good' | 'damaged', by: string) => void; all: () => void }

function LineCount({ line, most, one, step, change, all }: LineProps) {
  const t = useTexts(transferTexts)
  const formats = useFormats()
  const total = totalOf(one)
  const full = compare(total, most) >= 0
  return (
    <div className={css.line} data-full={full} data-testid={`count-${line.sku}`}>
      <div>
        <div className={css.name}>{line.name}</div>
        <Text size="xs" c="dimmed">
          <span className="mono">{line.sku}</span>
          {line.lot_code ? ` · ${line.lot_code}` : ''}
          {sign(one.damaged) > 0 ? <span className="bad"> · {t('damagedCount', { quantity: formats.quantity(one.damaged) })}</span> : null}
        </Text>
      </div>
      <div className={css.keys}>
        <ActionIcon size={40} variant="default" aria-label={t('less', { name: line.name })} onClick={() => change(sign(one.good) > 0 ? 'good' : 'damaged', '-1')} disabled={sign(total) <= 0}>
          <Icon name="minus" size={16} />
        </ActionIcon>
        <span className={`${css.number}${compare(total, most) > 0 ? ' warn' : ''}`} data-testid={`counted-${line.sku}`}>
          {formats.quantity(total)}
          <Text span size="xs" c="dimmed" fw={400}> {t('ofMost', { most: formats.quantity(most) })}</Text>
        </span>
        <ActionIcon size={40} variant="default" aria-label={t('more', { name: line.name })} onClick={() => change('good', '1')}>
          <Icon name="plus" size={16} />
        </ActionIcon>
        {step === 'receive' ? (
          <ActionIcon size={40} variant="default" color="brick" aria-label={t('plusDamaged', { name: line.name })} title={t('damaged')} onClick={() => change('damaged', '1')} data-testid={`damage-${line.sku}`}>
            <Icon name="alert" size={16} />
          </ActionIcon>
        ) : null}
        <Button variant="subtle" size="compact-sm" h={40} onClick={all} aria-label={t('allOf', { name: line.name })}>{t('all')}</Button>
      </div>
    </div>
  )
}
