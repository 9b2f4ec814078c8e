import { ActionIcon, Button, Checkbox, Group, Modal, Select, Stack, Text, TextInput, UnstyledButton } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'

import { api } from '../../../api/client'
import { useSites } from '../../../api/places'
import { asProblem } from '../../../api/problem'
import type { ScanHit, SearchHit, TransferDetail, TransferMade, Variant } from '../../../api/types'
import { listKey } from '../../../ui/datalist/useListData'
import { Icon } from '../../../ui/Icon'
import { useFormats, useShared, useTexts } from '../../../ui/i18n/useTexts'
import { notifyDone } from '../../../ui/notify'
import { Problem } from '../../../ui/states'
import { add, fromTyped, sign } from '../../../values/decimal'
import { paths } from '../../../values/paths'
import { uuid7 } from '../../../values/uuid7'
import { readEntry, times } from './counting'
import { transferTexts } from './texts'
import css from './transfers.module.css'

type Chosen = { id: string; name: string; sku: string; unit: string; typed: string; lot: string | null }

type Props = { /** What another page chose. */ variants?: string[]; /** A draft to change. */ draft?: TransferDetail; onClose: () => void }

/** What should go from where to where; saved as a draft or placed at once. */
export function NewTransfer(props: Props) {
  const t = useTexts(transferTexts)
  const s = useShared()
  const narrow = useMediaQuery('(max-width: 30em)') ?? false
  return (
    <Modal opened onClose={props.onClose} size="lg" fullScreen={narrow} title={props.draft ? t('draftTitle', { number: props.draft.number }) : t('newTitle')} closeButtonProps={{ 'aria-label': s('close') }}>
      <Form {...props} />
    </Modal>
  )
}

function Form({ variants = [], draft, onClose }: Props) {
  const t = useTexts(transferTexts)
  const s = useShared()
  const formats = useFormats()
  const client = useQueryClient()
  const navigate = useNavigate()
  const sites = useSites()
  const [id, setId] = useState(() => uuid7())
  const mark = formats.decimalMark
  const [from, setFrom] = useState<string | null>(draft?.from_site_id ?? null)
  const [to, setTo] = useState<string | null>(draft?.to_site_id ?? null)
  const [lines, setLines] = useState<Chosen[]>(() => (draft?.lines ?? []).map((line) => ({ id: line.variant_id, name: line.name, sku: line.sku, unit: line.unit, typed: line.requested.replace('.', mark), lot: line.lot_code })))
  const [reserve, setReserve] = useState(draft?.reserves ?? true)
  const [expected, setExpected] = useState(draft?.expected_at?.slice(0, 10) ?? '')
  const [note, setNote] = useState(draft?.note ?? '')
  const [tried, setTried] = useState(false)

  const addOne = async (variantId: string, quantity: string) => {
    const known = await api.get<Variant>('/v1/variants/{variant_id}', { path: { variant_id: variantId } })
    setLines((before) => {
      const there = before.find((line) => line.id === variantId)
      if (!there) return [...before, { id: variantId, name: known.name, sku: known.sku, unit: known.unit, typed: quantity.replace('.', mark), lot: null }]
      const sum = add(fromTyped(there.typed, mark) ?? '0', quantity).replace('.', mark)
      return before.map((line) => (line.id === variantId ? { ...line, typed: sum } : line))
    })
  }
  // What another page chose comes along in the address.
  const begun = useRef(false)
  useEffect(() => {
    if (begun.current) return
    begun.current = true
    void (async () => {
      for (const variant of variants.slice(0, 50)) await addOne(variant, '1')
    })()
  })
  const read = lines.map((line) => fromTyped(line.typed, mark))
  const wrongSites = !from || !to || from === to
  const valid = lines.length > 0 && !wrongSites && read.every((quantity) => quantity !== null && sign(quantity) > 0)
  const send = useMutation({
    mutationFn: async (place: boolean) => {
      const values = {
        lines: lines.map((line, index) => ({ variant_id: line.id, quantity: read[index], ...(line.lot ? { lot_code: line.lot } : {}) })),
        reserve,
        ...(expected || draft ? { expected_at: expected ? new Date(expected).toISOString() : null } : {}),
        ...(note.trim() || draft ? { note: note.trim() || null } : {}),
      }
      if (!draft) return api.post<TransferMade>('/v1/transfers', { id, mode: 'document', from_site_id: from, to_site_id: to, place, ...values })
      const at = { path: { transfer_id: draft.id } }
      const changed = await api.patch<TransferDetail>('/v1/transfers/{transfer_id}', values, { ...at, ifMatch: draft.version })
      return place ? api.post<TransferDetail>('/v1/transfers/{transfer_id}/place', {}, { ...at, ifMatch: changed.version }) : changed
    },
    onSuccess: async (made) => {
      notifyDone(t(made.state === 'placed' ? 'placedDone' : 'draftSaved'))
      void client.invalidateQueries({ queryKey: listKey('/v1/transfers') })
      void client.invalidateQueries({ queryKey: ['transfer-totals'] })
      void client.invalidateQueries({ queryKey: ['transfer', made.id] })
      if (draft) onClose()
      else await navigate({ href: paths.transfer(made.id) })
    },
    onError: (error) => {
      if (asProblem(error).status !== 0) setId(uuid7())
    },
  })
  const go = (place: boolean) => {
    setTried(true)
    if (valid && !send.isPending) send.mutate(place)
  }
  const options = sites.map((site) => ({ value: site.id, label: `${site.code} · ${site.name}` }))
  return (
    <Stack gap="sm" data-testid="new-transfer-form">
      <Group grow align="flex-start">
        <Select label={t('fromSite')} data={options} value={from} onChange={setFrom} searchable disabled={!!draft} data-testid="from-site" />
        <Select label={t('toSite')} data={options} value={to} onChange={setTo} searchable disabled={!!draft} data-testid="to-site" />
      </Group>
      {tried && wrongSites ? <Text size="sm" className="bad" role="alert">{t('chooseSites')}</Text> : null}
      <AddItem add={addOne} />
      <div>
        {lines.map((line, index) => (
          <div key={`${line.id} ${line.lot ?? ''}`} className={css.line}>
            <div>
              <div className={css.name}>{line.name}</div>
              <Text size="xs" c="dimmed" className="mono">{line.sku}{line.lot ? ` · ${line.lot}` : ''}</Text>
            </div>
            <div className={css.keys}>
              <TextInput
                aria-label={t('quantityOf', { name: line.name })}
                w={110}
                inputMode="decimal"
                value={line.typed}
                rightSection={<Text size="xs" c="dimmed">{line.unit}</Text>}
                rightSectionWidth={48}
                error={tried && (read[index] === null || sign(read[index] ?? '0') <= 0) ? t('badNumber') : undefined}
                onChange={(event) => {
                  const typed = event.currentTarget.value
                  setLines((before) => before.map((each) => (each === line ? { ...each, typed } : each)))
                }}
                data-testid={`quantity-${line.sku}`}
              />
              <ActionIcon variant="subtle" color="gray" aria-label={t('removeLine', { name: line.name })} onClick={() => setLines((before) => before.filter((each) => each !== line))}>
                <Icon name="close" size={16} />
              </ActionIcon>
            </div>
          </div>
        ))}
        {tried && !lines.length ? <Text size="sm" className="bad" role="alert">{t('noLines')}</Text> : null}
      </div>
      <Group grow align="flex-start">
        <TextInput type="date" label={`${t('expected')} (${s('optional')})`} value={expected} onChange={(event) => setExpected(event.currentTarget.value)} />
        <TextInput label={`${s('note')} (${s('optional')})`} value={note} maxLength={500} onChange={(event) => setNote(event.currentTarget.value)} />
      </Group>
      <Checkbox label={t('reserve')} checked={reserve} onChange={(event) => setReserve(event.currentTarget.checked)} />
      {send.error ? <Problem error={send.error} /> : null}
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>{s('cancel')}</Button>
        <Button variant="default" loading={send.isPending} onClick={() => go(false)} data-testid="save-draft">{t('saveDraft')}</Button>
        <Button loading={send.isPending} onClick={() => go(true)} data-testid="place-now">{t('placeNow')}</Button>
      </Group>
    </Stack>
  )
}

/** A code, scanned or typed, or words to search by. */
function AddItem({ add }: { add: (variantId: string, quantity: string) => Promise<void> }) {
  const t = useTexts(transferTexts)
  const [text, setText] = useState('')
  const [asked, setAsked] = useState('')
  const hits = useQuery({ queryKey: ['transfer-items', asked], queryFn: () => api.get<{ data: SearchHit[] }>('/v1/search', { query: { q: asked, kinds: 'variant', limit: 6 } }), enabled: asked.length > 1 })
  const enter = async () => {
    const entry = readEntry(text)
    if (!entry) return
    const hit = await api.get<ScanHit>('/v1/scan', { query: { code: entry.code } }).catch(() => null)
    if (hit?.kind === 'variant') {
      await add(hit.id, times(entry.times, hit.quantity ?? '1'))
      setText('')
      setAsked('')
    } else setAsked(entry.code)
  }
  const found = hits.data?.data ?? []
  return (
    <div>
      <TextInput
        label={t('addItem')}
        description={t('addHint')}
        value={text}
        leftSection={<Icon name="barcode" size={16} />}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') {
            event.preventDefault()
            void enter()
          }
        }}
        data-testid="add-item"
        data-autofocus
      />
      {asked && hits.data && !found.length ? <Text size="sm" c="dimmed" mt={4}>{t('nothingFound', { q: asked })}</Text> : null}
      {found.map((hit) => (
        <UnstyledButton
          key={hit.id}
          p={6}
          style={{ display: 'block', width: '100%' }}
          onClick={() => {
            void add(hit.id, '1')
            setText('')
            setAsked('')
          }}
          data-testid={`hit-${hit.id}`}
        >
          {hit.title} <Text span size="xs" c="dimmed">{hit.subtitle}</Text>
        </UnstyledButton>
      ))}
    </div>
  )
}
