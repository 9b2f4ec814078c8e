import { Alert, Button, Drawer, Select, Stack, Text, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '../../../api/client'
import type { Posting, PostingLine, ReversalLine } from '../../../api/types'
import { Go } from '../../../ui/Go'
import { Icon } from '../../../ui/Icon'
import { useShared, useTexts, useWord } from '../../../ui/i18n/useTexts'
import { words } from '../../../ui/i18n/words'
import { notifyDone } from '../../../ui/notify'
import { Quantity, When } from '../../../ui/numbers'
import { Loading, Problem } from '../../../ui/states'
import { pathOf, paths } from '../../../values/paths'
import { uuid7 } from '../../../values/uuid7'
import { keys, REASONS } from './keys'
import css from './ledger.module.css'
import { variantTexts } from './texts'

export function PostingDrawer({ id, onClose, closeLabel }: { id: string | null; onClose: () => void; closeLabel: string }) {
  const t = useTexts(variantTexts)
  return (
    <Drawer opened={id !== null} onClose={onClose} position="right" size="lg" title={t('posting', { seq: '' })} closeButtonProps={{ 'aria-label': closeLabel }}>
      {id ? <PostingView id={id} /> : null}
    </Drawer>
  )
}

/** One posting: who, when, why, every line, and the way to undo it. */
export function PostingView({ id }: { id: string }) {
  const t = useTexts(variantTexts)
  const s = useShared()
  const word = useWord(words)
  const [undoing, setUndoing] = useState(false)
  const found = useQuery({ queryKey: keys.posting(id), queryFn: () => api.get<Posting>('/v1/postings/{id}', { path: { id } }) })
  if (found.error) return <Problem error={found.error} retry={() => void found.refetch()} />
  const posting = found.data
  if (!posting) return <Loading />
  const undoable = posting.can.includes('reverse')
  return (
    <Stack data-testid="posting">
      <dl className={css.meta}>
        <dt>{s('kind')}</dt>
        <dd>
          {word(posting.kind)} <span className="mono">#{posting.seq}</span>
        </dd>
        <dt>{t('happened')}</dt>
        <dd><When at={posting.happened_at} /></dd>
        <dt>{t('recorded')}</dt>
        <dd><When at={posting.recorded_at} /></dd>
        <dt>{s('who')}</dt>
        <dd>{posting.actor?.name ?? s('system')}</dd>
        {posting.reason ? (
          <>
            <dt>{s('reason')}</dt>
            <dd>{word(posting.reason)}</dd>
          </>
        ) : null}
        {posting.source ? (
          <>
            <dt>{s('source')}</dt>
            <dd>{posting.source.type === 'sale' ? <Go href={pathOf('sale', posting.source.id)}>{word('sale')}</Go> : word(posting.source.type)}</dd>
          </>
        ) : null}
      </dl>
      {posting.reversed_by ? <Alert color="gray">{t('reversedBy')}</Alert> : null}
      {posting.reverses ? <Alert color="gray">{t('reverses')}</Alert> : null}
      <Lines lines={posting.lines} />
      {undoable && !undoing ? (
        <Button variant="default" leftSection={<Icon name="undo" size={16} />} onClick={() => setUndoing(true)} data-testid="undo">
          {t('undo')}
        </Button>
      ) : null}
      {undoing ? <Undo postingId={id} onClose={() => setUndoing(false)} /> : null}
    </Stack>
  )
}

type Line = Pick<PostingLine, 'variant_id' | 'sku' | 'quantity' | 'unit'> & { lot_code?: string | null; from: End | null; to: End | null }
type End = { code: string; condition: string }

const asLine = (line: ReversalLine): Line => ({ ...line, from: { code: line.from_code, condition: line.from_condition }, to: { code: line.to_code, condition: line.to_condition } })

export function Lines({ lines }: { lines: Line[] }) {
  const t = useTexts(variantTexts)
  const s = useShared()
  const word = useWord(words)
  const place = (at: End | null) => (at ? `${at.code}${at.condition && at.condition !== 'available' ? ` (${word(at.condition)})` : ''}` : '–')
  return (
    <table className={css.rows}>
      <thead>
        <tr>
          <th scope="col">{s('variant')}</th>
          <th scope="col">{t('fromTo')}</th>
          <th scope="col" className={css.n}>{s('quantity')}</th>
        </tr>
      </thead>
      <tbody>
        {lines.map((line, index) => (
          <tr key={index}>
            <td>
              <Go className="mono" href={paths.variant(line.variant_id)}>
                {line.sku}
              </Go>
              {line.lot_code ? <Text size="xs" c="dimmed">{line.lot_code}</Text> : null}
            </td>
            <td>{place(line.from)} → {place(line.to)}</td>
            <td className={css.n}><Quantity value={line.quantity} unit={line.unit} /></td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** First the lines a counter-posting would write, then the counter-posting. */
function Undo({ postingId, onClose }: { postingId: string; onClose: () => void }) {
  const t = useTexts(variantTexts)
  const s = useShared()
  const word = useWord(words)
  const client = useQueryClient()
  const [id] = useState(() => uuid7())
  const [reason, setReason] = useState<string>('correction')
  const [note, setNote] = useState('')
  const preview = useQuery({
    queryKey: ['reversal-preview', postingId],
    queryFn: () => api.post<{ lines: ReversalLine[] }>('/v1/reversals', { posting_id: postingId, reason: 'correction', preview: true }),
    staleTime: 0,
    gcTime: 0,
    retry: false,
  })
  const undo = useMutation({
    mutationFn: () => api.post('/v1/reversals', { id, posting_id: postingId, reason: note.trim() ? `${reason}: ${note.trim()}` : reason, preview: false }),
    onSuccess: async () => {
      notifyDone(t('undone'))
      onClose()
      await client.invalidateQueries({ predicate: (query) => query.queryKey[0] !== 'reversal-preview' })
    },
  })
  return (
    <section className={`card ${css.panel}`} aria-label={t('undoTitle')} data-testid="undo-preview">
      <Stack gap="sm">
        <Text fw={600}>{t('undoTitle')}</Text>
        <Text size="sm" c="dimmed">
          {t('undoHint')}
        </Text>
        {preview.error ? <Problem error={preview.error} /> : preview.data ? <Lines lines={preview.data.lines.map(asLine)} /> : <Loading />}
        <Select label={t('undoReason')} data={REASONS.map((each) => ({ value: each, label: word(each) }))} value={reason} onChange={(next) => setReason(next ?? 'correction')} allowDeselect={false} />
        <TextInput label={`${s('note')} (${s('optional')})`} value={note} onChange={(event) => setNote(event.currentTarget.value)} maxLength={500} />
        {undo.error ? <Problem error={undo.error} /> : null}
        <Button disabled={!preview.data} loading={undo.isPending} onClick={() => undo.mutate()} data-testid="undo-confirm">
          {s('undo')}
        </Button>
        <Button variant="subtle" onClick={onClose}>
          {s('cancel')}
        </Button>
      </Stack>
    </section>
  )
}
