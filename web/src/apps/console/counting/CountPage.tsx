import { ActionIcon, Alert, Badge, Button, Group, Text, TextInput } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useRef, useState, type FormEvent } from 'react'

import { api } from '../../../api/client'
import { useLiveInvalidate } from '../../../api/live'
import { readAll } from '../../../api/places'
import { asProblem } from '../../../api/problem'
import { useMe } from '../../../api/session'
import type { BinCount, ScanHit } from '../../../api/types'
import { signal } from '../../../ui/feedback'
import { Icon } from '../../../ui/Icon'
import { useFormats, useProblemText, useTexts } from '../../../ui/i18n/useTexts'
import { notifyDone, notifyProblem } from '../../../ui/notify'
import { Page } from '../../../ui/Page'
import { Empty, Loading, Problem } from '../../../ui/states'
import { useScanner } from '../../../ui/useScanner'
import { sum } from '../../../values/decimal'
import { uuid7 } from '../../../values/uuid7'
import css from './counting.module.css'
import { keep, load, send } from './queue'
import { begin, entryOf, scan, setLine, typed, undo, type Counting, type Line, type Scanned } from './sheet'
import { countTexts } from './texts'

const TODO = ['bin-counts', 'todo']
const SAID = { posted: 'saidPosted', waiting: 'saidWaiting', recount: 'saidRecount' } as const
const AGAIN_MS = 10_000

/** The blind count: scan a bin, everything in it, the bin again. No number of the book is asked for, and none is sent. */
export function CountPage() {
  const t = useTexts(countTexts)
  const user = useMe()?.id ?? ''
  const todo = useQuery({ queryKey: TODO, queryFn: () => readAll<BinCount>('/v1/bin-counts', { todo: true }), staleTime: 5_000 })
  useLiveInvalidate(['count.changed'], TODO)
  const bins = todo.data ?? []
  const desk = useDesk(user, bins)
  const bin = desk.now ? bins.find((each) => each.id === desk.now?.bin_count_id) : undefined
  return (
    <Page title={t('count')} lead={desk.now ? undefined : t('countLead')} testId="page-count">
      <div className={css.phone}>
        {desk.waiting.length ? (
          <Alert color="amber" icon={<Icon name="alert" />} data-testid="not-sent">
            <Text size="sm">{t('notSent', { count: desk.waiting.length })}</Text>
            <Button mt="xs" h={48} variant="default" onClick={() => void desk.flush()}>
              {t('sendNow')}
            </Button>
          </Alert>
        ) : null}
        {desk.now ? <InBin now={desk.now} name={bin?.location_code ?? desk.name} path={bin?.location_path ?? ''} desk={desk} /> : <Choose bins={bins} pending={todo.isPending} error={todo.error} retry={() => void todo.refetch()} open={desk.open} />}
        <TypeCode take={desk.take} />
        <Text size="xs" c="dimmed" ta="center" visibleFrom="sm">
          {t('keysHint')}
        </Text>
      </div>
    </Page>
  )
}

type Desk = ReturnType<typeof useDesk>

/** What is being counted, what waits to be sent, and what a scan does. */
function useDesk(user: string, bins: BinCount[]) {
  const t = useTexts(countTexts)
  const say = useProblemText()
  const client = useQueryClient()
  const [kept, setKept] = useState(() => load(user))
  const [times, setTimes] = useState(1)
  const [asking, setAsking] = useState(false)
  const [name, setName] = useState('')
  const held = useRef(kept)
  const digits = useRef('')
  const chain = useRef<Promise<unknown>>(Promise.resolve())
  const sending = useRef(false)

  const change = useCallback(
    (next: Partial<typeof kept>) => {
      held.current = { ...held.current, ...next }
      keep(user, held.current)
      setKept(held.current)
    },
    [user],
  )
  const codeOf = useCallback((id: string) => bins.find((bin) => bin.id === id)?.location_code ?? '', [bins])

  const flush = useCallback(async () => {
    if (sending.current || !held.current.waiting.length) return
    sending.current = true
    const taken = held.current.waiting
    try {
      const { left, sent } = await send(taken)
      change({ waiting: [...left, ...held.current.waiting.slice(taken.length)] })
      for (const { entry, answer, refused } of sent) {
        const bin = codeOf(entry.bin_count_id)
        if (answer) notifyDone(t(SAID[answer.state as keyof typeof SAID] ?? 'saidOther', { bin }))
        else notifyProblem(`${bin}: ${say(refused)}`)
      }
      await client.invalidateQueries({ queryKey: TODO })
    } finally {
      sending.current = false
    }
  }, [change, client, codeOf, say, t])
  useEffect(() => {
    const again = setInterval(() => void flush(), AGAIN_MS)
    const online = () => void flush()
    window.addEventListener('online', online)
    return () => {
      clearInterval(again)
      window.removeEventListener('online', online)
    }
  }, [flush])

  const open = async (bin: BinCount) => {
    try {
      await api.post(`/v1/bin-counts/{id}/claim`, {}, { path: { id: bin.id } })
    } catch (error) {
      if (asProblem(error).status !== 0) {
        signal('wrong')
        return notifyProblem(say(error))
      }
    }
    signal('ok')
    setName(bin.location_code)
    change({ now: begin(uuid7(), bin.id) })
  }
  const submit = () => {
    const now = held.current.now
    if (!now) return
    setAsking(false)
    signal('ok')
    change({ now: null, waiting: [...held.current.waiting, entryOf(now, new Date())] })
    void flush()
  }
  const finish = () => {
    if (held.current.now?.lines.length === 0 && !asking) {
      signal('wrong')
      return setAsking(true)
    }
    submit()
  }
  const atBin = async (bin: BinCount) => {
    const now = held.current.now
    if (!now) return open(bin)
    if (now.bin_count_id === bin.id) return finish()
    signal('wrong')
    notifyProblem(t('finishFirst', { bin: codeOf(now.bin_count_id) || name }))
  }
  const add = (scanned: Scanned) => {
    const now = held.current.now
    if (!now) {
      signal('wrong')
      return notifyProblem(t('binFirst'))
    }
    setAsking(false)
    signal(scanned.variant_id ? 'ok' : 'wrong')
    change({ now: scan(now, scanned, times) })
    setTimes(1)
  }
  const taken = async (code: string) => {
    digits.current = ''
    const known = bins.find((bin) => bin.location_path === code || bin.location_code === code)
    if (known) return atBin(known)
    try {
      const hit = await api.get<ScanHit>('/v1/scan', { query: { code } })
      if (hit.kind === 'location') {
        const bin = bins.find((each) => each.location_id === hit.id)
        if (bin) return await atBin(bin)
        signal('wrong')
        return notifyProblem(t('notOnSheet', { code }))
      }
      if (hit.kind === 'variant') return add({ variant_id: hit.id, barcode: null, lot_code: hit.lot_code ?? null, sku: hit.sku ?? code, name: hit.title, unit: hit.unit ?? '', quantity: hit.quantity ?? '1' })
    } catch (error) {
      const problem = asProblem(error)
      if (problem.status !== 404 && problem.status !== 0) {
        signal('wrong')
        return notifyProblem(say(error))
      }
      if (held.current.now && problem.status === 404) notifyProblem(t('unknownKept', { code }))
    }
    add({ variant_id: null, barcode: code, lot_code: null, sku: code, name: code, unit: '', quantity: '1' })
  }
  const take = (code: string) => {
    chain.current = chain.current.then(() => taken(code)) // one after the other, in the order they were scanned
  }
  const back = () => {
    if (!held.current.now?.steps.length) return
    change({ now: undo(held.current.now) })
    signal('ok')
  }
  useScanner(
    ({ code }) => take(code),
    (key, event) => {
      if (key === 'Backspace') {
        event.preventDefault()
        return back()
      }
      const next = typed(key, digits.current)
      digits.current = next.digits
      if (next.times !== null) setTimes(next.times)
    },
    { alone: true },
  )
  const giveBack = async () => {
    const now = held.current.now
    if (!now) return
    change({ now: null })
    setAsking(false)
    try {
      await api.post(`/v1/bin-counts/{id}/release`, undefined, { path: { id: now.bin_count_id } })
      notifyDone(t('givenBack', { bin: codeOf(now.bin_count_id) }))
    } catch (error) {
      notifyProblem(say(error))
    }
    await client.invalidateQueries({ queryKey: TODO })
  }
  const set = (key: string, quantity: string) => held.current.now && change({ now: setLine(held.current.now, key, quantity) })
  return { now: kept.now, waiting: kept.waiting, name, times, asking, open, submit, finish, take, back, set, giveBack, flush, goOn: () => setAsking(false) }
}

function Choose({ bins, pending, error, retry, open }: { bins: BinCount[]; pending: boolean; error: Error | null; retry: () => void; open: (bin: BinCount) => void }) {
  const t = useTexts(countTexts)
  if (pending) return <Loading />
  if (error && !bins.length) return <Problem error={error} retry={retry} />
  if (!bins.length)
    return (
      <Empty title={t('noBins')} icon="check">
        {t('noBinsHint')}
      </Empty>
    )
  return (
    <section aria-label={t('bins')} style={{ display: 'grid', gap: 8 }}>
      <Text fw={600}>{t('scanBin')}</Text>
      {bins.map((bin) => {
        const other = bin.claimed_by !== null && !bin.mine
        const taken = other || bin.for_another
        return (
          <button key={bin.id} type="button" className={`card ${css.bin}`} disabled={taken} onClick={() => void open(bin)} data-testid="bin">
            <span style={{ minWidth: 0 }}>
              <span className={css.binCode}>{bin.location_code}</span>
              <span className={css.path} style={{ display: 'block' }}>
                {bin.location_path} · {bin.sheet_name}
              </span>
              {taken ? <span className={css.path}>{other ? t('claimedBy', { name: bin.claimed_by?.name ?? '' }) : t('forAnother')}</span> : null}
            </span>
            <Group gap={6}>
              {bin.round > 1 ? <Badge color="amber">{t('recountMark')}</Badge> : null}
              {bin.mine ? <Badge>{t('mine')}</Badge> : null}
              <Icon name="right" />
            </Group>
          </button>
        )
      })}
    </section>
  )
}

function InBin({ now, name, path, desk }: { now: Counting; name: string; path: string; desk: Desk }) {
  const t = useTexts(countTexts)
  const formats = useFormats()
  return (
    <>
      {desk.times > 1 ? (
        <Alert color="amber" className={css.times} data-testid="times">
          <Text fw={700} size="xl" ta="center">
            {t('times', { times: desk.times })}
          </Text>
        </Alert>
      ) : null}
      <section className={`card ${css.now}`} aria-live="polite" data-testid="in-bin">
        <span className={css.path}>{path}</span>
        <span className={css.nowCode}>{name}</span>
        <span className={`num ${css.counter}`} data-testid="units">
          {formats.quantity(sum(now.lines.map((line) => line.quantity)))}
        </span>
        <Text size="sm" c="dimmed">
          {t('units')} · {t('lines', { count: now.lines.length })}
        </Text>
        <Text size="sm" c="dimmed">
          {now.lines.length ? t('scanAgain', { bin: name }) : t('binOpened', { bin: name })}
        </Text>
      </section>
      {desk.asking ? (
        <Alert color="amber" role="alert" data-testid="sure-empty">
          <Text fw={600} mb="sm">
            {t('sureEmpty', { bin: name })}
          </Text>
          <Group grow>
            <Button h={56} variant="default" onClick={desk.goOn}>
              {t('notEmpty')}
            </Button>
            <Button h={56} onClick={desk.submit} data-testid="yes-empty">
              {t('yesEmpty')}
            </Button>
          </Group>
        </Alert>
      ) : null}
      {now.lines.length ? (
        <section className="card" aria-label={t('units')}>
          {now.lines.map((line) => (
            <LineRow key={line.key} line={line} set={desk.set} />
          ))}
        </section>
      ) : null}
      <Button variant="subtle" color="gray" h={48} onClick={() => void desk.giveBack()} data-testid="give-back">
        {t('giveBack')}
      </Button>
      <div className={css.foot}>
        <Button h={56} variant="default" leftSection={<Icon name="undo" />} disabled={!now.steps.length} onClick={desk.back} data-testid="undo" px="xs" styles={{ label: { whiteSpace: 'normal', lineHeight: 1.15 } }}>
          {t('undo')}
        </Button>
        <Button h={56} leftSection={<Icon name="check" />} onClick={desk.finish} data-testid="done">
          {now.lines.length ? t('done') : t('empty')}
        </Button>
      </div>
    </>
  )
}

function LineRow({ line, set }: { line: Line; set: (key: string, quantity: string) => unknown }) {
  const t = useTexts(countTexts)
  const formats = useFormats()
  return (
    <div className={css.line} data-testid="line">
      <div className={css.lineName}>
        <div>{line.name}</div>
        <div className={css.path}>
          {line.sku}
          {line.lot_code ? ` · ${t('lotOf', { lot: line.lot_code })}` : ''}
          {line.variant_id ? '' : ' · ?'}
        </div>
      </div>
      <div className={css.stepper}>
        <ActionIcon size={48} variant="subtle" color="gray" aria-label={t('oneLess', { name: line.name })} onClick={() => set(line.key, sum([line.quantity, '-1']))}>
          <Icon name="minus" />
        </ActionIcon>
        <span className={`num ${css.lineQuantity}`}>{formats.quantity(line.quantity)}</span>
        <ActionIcon size={48} variant="subtle" color="gray" aria-label={t('onePlus', { name: line.name })} onClick={() => set(line.key, sum([line.quantity, '1']))}>
          <Icon name="plus" />
        </ActionIcon>
      </div>
    </div>
  )
}

function TypeCode({ take }: { take: (code: string) => void }) {
  const t = useTexts(countTexts)
  const [code, setCode] = useState('')
  const go = (event: FormEvent) => {
    event.preventDefault()
    if (code.trim()) take(code.trim())
    setCode('')
  }
  return (
    <form onSubmit={go} style={{ display: 'grid', gridTemplateColumns: 'minmax(0, 1fr) auto', gap: 8 }}>
      <TextInput aria-label={t('typeCode')} placeholder={t('typeCode')} value={code} onChange={(event) => setCode(event.currentTarget.value)} styles={{ input: { height: 48, fontSize: '1.05rem' } }} autoComplete="off" autoCapitalize="off" spellCheck={false} data-testid="code" />
      <Button type="submit" h={48} variant="default" disabled={!code.trim()}>
        {t('take')}
      </Button>
    </form>
  )
}
