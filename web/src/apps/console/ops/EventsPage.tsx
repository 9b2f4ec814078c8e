import { Alert, Button, Drawer, Group, MultiSelect, Stack, Switch, Text, TextInput } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '../../../api/client'
import { useLive } from '../../../api/live'
import type { CloudEvent, EventFeed } from '../../../api/types'
import css from '../../../ui/detail.module.css'
import { Facts, Panel } from '../../../ui/Facts'
import { Icon } from '../../../ui/Icon'
import { useFormats, useShared, useTexts } from '../../../ui/i18n/useTexts'
import { When } from '../../../ui/numbers'
import { Page } from '../../../ui/Page'
import { Empty, Loading, Problem } from '../../../ui/states'
import { useUrl } from '../../../ui/url'
import { eventTexts } from './eventTexts'
import { EVENT_TYPES, hasSchema, schemaOf } from './eventSchemas'
import { checkGaps } from './gaps'

const PAGE = 200
const KEPT = 500

const readFeed = (after: string, types: string) => api.get<EventFeed>('/v1/events', { query: { after, types: types || null, limit: PAGE } })

/** The feed as programs read it: by number, by type, live; and a check that nothing is missing. */
export function EventsPage() {
  const t = useTexts(eventTexts)
  const s = useShared()
  const [search, change] = useUrl()
  const types = search.types ?? ''
  const after = /^\d{1,18}$/.test(search.after ?? '') ? search.after! : ''
  const live = search.live !== 'off' && !after
  const [open, setOpen] = useState<CloudEvent | null>(null)
  const [fresh, setFresh] = useState<CloudEvent[]>([])
  const key = ['events', after, types]
  const feed = useQuery({
    queryKey: key,
    queryFn: async () => {
      if (after) return readFeed(after, types)
      const { head } = await api.get<EventFeed>('/v1/events', { query: { after: '0', limit: 1 } })
      return readFeed(String(Math.max(0, Number(head) - PAGE)), types)
    },
    staleTime: 0,
    refetchOnWindowFocus: false,
  })
  useLive(types ? types.split(',') : [], (events) => {
    if (live) setFresh((before) => [...before, ...events].slice(-KEPT))
  })
  const known = new Set<string>()
  const rows = [...(feed.data?.data ?? []), ...(live ? fresh : [])].filter((event) => (!types || types.split(',').includes(event.type)) && !known.has(event.sequence) && known.add(event.sequence))
  const shown = after ? rows : rows.sort((a, b) => Number(b.sequence) - Number(a.sequence))
  const more = after && feed.data && Number(feed.data.through) < Number(feed.data.head)
  return (
    <Page title={t('title')} lead={t('lead')} testId="page-events">
      <section className="card" aria-label={t('title')} style={{ padding: 14 }}>
        <Group align="flex-end" gap="sm" mb="sm">
          <MultiSelect label={t('type')} placeholder={types ? undefined : t('allTypes')} data={EVENT_TYPES} value={types ? types.split(',') : []} onChange={(next) => change({ types: next.join(',') || null })} searchable clearable clearButtonProps={{ 'aria-label': s('clear'), 'aria-hidden': false, tabIndex: 0 }} maw={420} miw={220} style={{ flex: 1 }} data-testid="event-types" />
          <AfterField key={after} value={after} set={(next) => change({ after: next || null })} />
          <Switch label={t('live')} checked={live} disabled={Boolean(after)} onChange={(event) => change({ live: event.currentTarget.checked ? null : 'off' })} my={8} data-testid="event-live" />
          {after ? <Button variant="default" onClick={() => change({ after: null })}>{t('newest')}</Button> : null}
        </Group>
        {feed.error ? (
          <Problem error={feed.error} retry={() => void feed.refetch()} />
        ) : feed.isPending ? (
          <Loading />
        ) : !shown.length ? (
          <Empty title={t('none')} icon="events">{t('noneHint')}</Empty>
        ) : (
          <div className={css.scroll} tabIndex={0} role="group" aria-label={t('title')} style={{ maxHeight: 560 }}>
            <table className={css.rows} data-testid="events">
              <thead>
                <tr>
                  <th scope="col" className={css.n}>{t('sequence')}</th>
                  <th scope="col">{t('type')}</th>
                  <th scope="col">{t('subject')}</th>
                  <th scope="col">{t('recorded')}</th>
                </tr>
              </thead>
              <tbody>
                {shown.slice(0, KEPT).map((event) => (
                  <tr key={event.sequence}>
                    <td className={`${css.n} num`}>{event.sequence}</td>
                    <td>
                      <Button variant="transparent" size="compact-sm" px={0} onClick={() => setOpen(event)} aria-label={`${event.type} ${event.sequence}`}>
                        {event.type}
                      </Button>
                    </td>
                    <td style={{ overflowWrap: 'anywhere', minWidth: 120 }}>{aboutOf(event)}</td>
                    <td><When at={event.recordedtime} form="time" /></td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
        <Group mt="sm" justify="space-between">
          <Text size="xs" c="dimmed" role="status">
            {feed.data ? (after ? t('showing', { after: feed.data.after, through: feed.data.through }) : t('head', { head: feed.data.head })) : ''}
          </Text>
          {more ? <Button size="xs" variant="default" onClick={() => change({ after: feed.data.through }, true)}>{t('older')}</Button> : null}
        </Group>
      </section>
      <GapCheck head={feed.data?.head} />
      <Drawer opened={open !== null} onClose={() => setOpen(null)} position="right" size="lg" title={open?.type ?? ''} closeButtonProps={{ 'aria-label': s('close') }}>
        {open ? <EventView event={open} /> : null}
      </Drawer>
    </Page>
  )
}

/** The shortest word a person knows it by. */
function aboutOf(event: CloudEvent): string {
  for (const name of ['sku', 'number', 'code', 'title', 'name'] as const) {
    const value = event.data[name]
    if (typeof value === 'string' && value) return typeof event.data.site_code === 'string' ? `${value} · ${event.data.site_code}` : value
  }
  return event.subject
}

function AfterField({ value, set }: { value: string; set: (next: string) => void }) {
  const t = useTexts(eventTexts)
  const [typed, setTyped] = useState(value)
  const bad = typed.trim() !== '' && !/^\d{1,18}$/.test(typed.trim())
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (!bad) set(typed.trim())
      }}
    >
      <Group align="flex-end" gap="xs" wrap="nowrap">
        <TextInput label={t('after')} inputMode="numeric" w={120} value={typed} error={bad ? t('badNumber') : null} onChange={(event) => setTyped(event.currentTarget.value)} data-testid="event-after" />
        <Button type="submit" variant="default">{t('read')}</Button>
      </Group>
    </form>
  )
}

function EventView({ event }: { event: CloudEvent }) {
  const t = useTexts(eventTexts)
  return (
    <Stack data-testid="event">
      <Facts
        facts={[
          [t('sequence'), event.sequence],
          [t('subject'), <span key="s" className="mono">{event.subject}</span>],
          [t('happened'), <When key="h" at={event.time} />],
          [t('recorded'), <When key="r" at={event.recordedtime} />],
          [t('key'), <span key="p" className="mono">{event.partitionkey}</span>],
        ]}
      />
      <Text fw={600}>{t('payload')}</Text>
      <pre className={css.code} tabIndex={0}>{JSON.stringify(event, null, 2)}</pre>
      <Schema type={event.type} />
      <Text fw={600}>{t('sample')}</Text>
      <pre className={css.code} tabIndex={0}>{`curl -H 'Authorization: Bearer onh_live_…' \\\n  '${window.location.origin}/v1/events?after=${Number(event.sequence) - 1}&types=${event.type}'`}</pre>
    </Stack>
  )
}

function Schema({ type }: { type: string }) {
  const t = useTexts(eventTexts)
  const [asked, setAsked] = useState(false)
  const schema = useQuery({ queryKey: ['event-schema', type], queryFn: () => schemaOf(type), enabled: asked, staleTime: Infinity })
  if (!hasSchema(type)) return null
  return (
    <div>
      <Button variant="default" size="xs" aria-expanded={asked} onClick={() => setAsked(!asked)} data-testid="event-schema">
        {t('schema', { type })}
      </Button>
      {asked && schema.data ? (
        <pre className={css.code} tabIndex={0} style={{ marginTop: 8 }}>
          {JSON.stringify(schema.data, null, 2)}
        </pre>
      ) : null}
    </div>
  )
}

const CHECKED = 10_000

function GapCheck({ head }: { head: string | undefined }) {
  const t = useTexts(eventTexts)
  const formats = useFormats()
  const from = String(Math.max(0, Number(head ?? 0) - CHECKED))
  const check = useMutation({ mutationFn: () => checkGaps((after) => api.get<EventFeed>('/v1/events', { query: { after, limit: 1000 } }), from) })
  const found = check.data
  return (
    <Panel title={t('gapTitle')} id="gap-check">
      <Text size="sm" c="dimmed" mb="sm">{t('gapHint')}</Text>
      <Button variant="default" leftSection={<Icon name="check" size={16} />} disabled={!head} loading={check.isPending} onClick={() => check.mutate()} data-testid="gap-run">
        {t('gapRun', { count: Math.min(CHECKED, Number(head ?? 0)) })}
      </Button>
      <div aria-live="polite" style={{ marginTop: 12 }}>
        {check.error ? <Problem error={check.error} /> : null}
        {found ? (
          <Alert color={found.ok ? 'spruce' : 'brick'} data-testid="gap-result">
            {found.ok
              ? t('gapOk', { count: found.pages, after: found.after, through: found.through, seen: formats.count(found.seen) })
              : found.kind === 'gap'
                ? t('gapBad', { after: found.after, through: found.through })
                : t('gapOrder', { at: found.at })}
          </Alert>
        ) : null}
      </div>
    </Panel>
  )
}
