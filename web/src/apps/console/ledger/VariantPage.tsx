import { Alert, Badge, Button, Group, TextInput, Title } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { useCallback, useMemo, useState } from 'react'

import { api } from '../../../api/client'
import { useLive, useLiveInvalidate } from '../../../api/live'
import { readAll } from '../../../api/places'
import { useMay } from '../../../api/session'
import type { ChartPoint, LevelChanged, SiteLevel, Variant } from '../../../api/types'
import { TimeChart, type Series } from '../../../ui/chart/TimeChart'
import { Icon } from '../../../ui/Icon'
import { useFormats, useShared, useTexts } from '../../../ui/i18n/useTexts'
import { Page } from '../../../ui/Page'
import { Loading, Problem } from '../../../ui/states'
import { useUrl } from '../../../ui/url'
import { add, subtract, sum } from '../../../values/decimal'
import { About } from './About'
import { Backorders } from './Backorders'
import { ExplainDrawer, type Asked } from './ExplainDrawer'
import { HeldBy } from './HeldBy'
import { History } from './History'
import { keys } from './keys'
import css from './ledger.module.css'
import { Bins, Five, Sites } from './Places'
import { PostingDrawer } from './PostingDrawer'
import { ReservationDrawer } from './ReservationDrawer'
import { StockDialog, type Verb } from './StockDialog'
import { variantTexts } from './texts'

export function VariantPage() {
  const t = useTexts(variantTexts)
  const s = useShared()
  const formats = useFormats()
  const may = useMay()
  const { id = '' } = useParams({ strict: false })
  const [search, change] = useUrl()
  const asOf = search.as_of ?? ''
  const variant = useQuery({ queryKey: keys.variant(id), queryFn: () => api.get<Variant>('/v1/variants/{id}', { path: { id } }) })
  const levels = useQuery({ queryKey: keys.siteLevels(id), queryFn: () => readAll<SiteLevel>('/v1/site-levels', { variant_id: id }) })
  useVariantLive(id)
  const [verb, setVerb] = useState<Verb | null>(null)
  const [asked, setAsked] = useState<Asked | null>(null)

  if (!variant.data) return <Page title={t('title')}>{variant.error ? <Problem error={variant.error} retry={() => void variant.refetch()} /> : <Loading />}</Page>
  const v = variant.data
  const rows = levels.data ?? []
  const site = rows.find((row) => row.site_id === search.site_id)
  const verbs = ([['adjust', 'stock:adjust', 'edit'], ['set', 'stock:set', 'check'], ['move', 'stock:move', 'move']] as const).filter(([, permission]) => may(permission))
  return (
    <Page
      title={v.name}
      testId="page-variant"
      lead={
        <Group gap="xs">
          <span className="mono">{v.sku}</span>
          {v.category_name ? <span>{v.category_name}</span> : null}
          <span>{v.unit}</span>
          {v.archived_at ? <Badge color="gray">{t('archived')}</Badge> : null}
        </Group>
      }
      actions={
        asOf || v.archived_at
          ? null
          : verbs.map(([name, , icon], index) => (
              <Button key={name} variant={index ? 'default' : 'filled'} leftSection={<Icon name={icon} size={16} />} onClick={() => setVerb(name)} data-testid={`do-${name}`}>
                {t(name)}
              </Button>
            ))
      }
    >
      <Group align="flex-end" gap="sm">
        <TextInput
          type="datetime-local"
          label={t('asOf')}
          title={t('asOfHint')}
          size="xs"
          value={asOf ? localForm(asOf) : ''}
          onChange={(event) => change({ as_of: event.currentTarget.value ? new Date(event.currentTarget.value).toISOString() : null })}
          data-testid="as-of"
        />
        {asOf ? (
          <Alert color="amber" py={6} icon={<Icon name="clock" />} role="status">
            <Group gap="sm">
              {t('asOfNotice', { time: formats.dateTime(asOf) })}
              <Button size="compact-sm" variant="default" onClick={() => change({ as_of: null })}>
                {t('backToNow')}
              </Button>
            </Group>
          </Alert>
        ) : null}
        {site ? (
          <Button variant="light" size="sm" rightSection={<Icon name="close" size={14} />} onClick={() => change({ site_id: null })} aria-label={`${t('chosenSite', { site: site.site_code })} – ${t('showAll')}`}>
            {t('chosenSite', { site: site.site_code })}
          </Button>
        ) : null}
      </Group>
      {levels.error ? <Problem error={levels.error} retry={() => void levels.refetch()} /> : null}
      {asOf ? null : <Five rows={site ? [site] : rows} unit={v.unit} explain={(quantity) => setAsked({ quantity, siteId: site?.site_id ?? null })} />}
      <div className={css.columns}>
        <div className={css.stack}>
        <section className={`card ${css.panel}`} aria-labelledby="places">
          <Title order={2} id="places" mb="xs">
            {asOf || site ? t('bins') : t('places')}
          </Title>
          {asOf || site ? (
            <Bins variantId={id} siteId={site?.site_id ?? ''} asOf={asOf} />
          ) : levels.isPending ? (
            <Loading />
          ) : (
            <Sites rows={rows} choose={(siteId) => change({ site_id: siteId }, true)} explain={(quantity, siteId) => setAsked({ quantity, siteId })} />
          )}
        </section>
        {asOf ? null : <HeldBy variantId={id} siteId={site?.site_id ?? ''} reserved={sum((site ? [site] : rows).map((row) => row.reserved))} open={(reservation) => change({ reservation }, true)} />}
        {asOf ? null : <Backorders variant={v} sites={rows} siteId={site?.site_id ?? ''} />}
        </div>
        <div className={css.stack}>
          <OverTime variantId={id} siteId={site?.site_id ?? ''} />
          <About variant={v} />
        </div>
      </div>
      <div className={css.history}>
        <Title order={2} mb="xs">
          {t('history')}
        </Title>
        <History variantId={id} siteId={site?.site_id ?? ''} open={(posting) => change({ posting }, true)} />
      </div>
      {verb ? <StockDialog verb={verb} variant={v} siteId={site?.site_id ?? null} onClose={() => setVerb(null)} /> : null}
      <ExplainDrawer variantId={id} asked={asked} rows={rows} onAsk={setAsked} onClose={() => setAsked(null)} openPosting={(posting) => (setAsked(null), change({ posting }, true))} />
      <ReservationDrawer id={search.reservation ?? null} onClose={() => change({ reservation: null })} />
      <PostingDrawer id={search.posting ?? null} onClose={() => change({ posting: null })} closeLabel={s('close')} />
    </Page>
  )
}

/** The stream moves the numbers at once; bins, chart and history are read again a moment later. */
function useVariantLive(id: string): void {
  const client = useQueryClient()
  useLive(['stock.level_changed'], (events) => {
    const mine = events.map((event) => event.data as unknown as LevelChanged).filter((level) => level.variant_id === id)
    if (!mine.length) return
    client.setQueryData<SiteLevel[]>(keys.siteLevels(id), (rows) => rows?.map((row) => mine.filter((level) => level.site_id === row.site_id).reduce(moved, row)))
    if (due.has(id)) return
    due.add(id)
    setTimeout(() => {
      due.delete(id)
      for (const key of [keys.history(id), ['levels', id], ['chart', id]]) void client.invalidateQueries({ queryKey: key })
    }, 1500)
  })
  useLiveInvalidate(['variant.changed'], keys.variant(id))
}

const due = new Set<string>()

function moved(row: SiteLevel, level: LevelChanged): SiteLevel {
  const { sellable, reserved, available, overdrawn } = level
  return { ...row, on_hand: add(row.on_hand, subtract(sellable, row.sellable)), sellable, reserved, available, overdrawn }
}

/** What a datetime-local field wants: local time without a zone. */
function localForm(iso: string): string {
  const at = new Date(iso)
  return Number.isNaN(at.getTime()) ? '' : new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

function OverTime({ variantId, siteId }: { variantId: string; siteId: string }) {
  const t = useTexts(variantTexts)
  const s = useShared()
  const formats = useFormats()
  const chart = useQuery({
    queryKey: keys.chart(variantId, siteId),
    queryFn: async () => {
      const answer = await api.get<ChartPoint[] | { data: ChartPoint[] }>('/v1/variants/{id}/chart', { path: { id: variantId }, query: { site_id: siteId, step: 'day' } })
      return Array.isArray(answer) ? answer : answer.data
    },
  })
  const points = chart.data
  const at = useMemo(() => points?.map((point) => point.at) ?? [], [points])
  const series = useMemo<Series[]>(() => [{ name: s('onHand'), kind: 'step', tone: 'main', values: points?.map((point) => point.on_hand) ?? [], show: formats.quantity }], [points, s, formats])
  const day = useCallback((iso: string) => formats.date(iso), [formats])
  const summary = points?.length ? t('chartSummary', { first: formats.quantity(points[0]!.on_hand), last: formats.quantity(points.at(-1)!.on_hand), days: points.length }) : t('chart')
  return (
    <section className={`card ${css.panel}`} aria-labelledby="over-time">
      <Title order={2} id="over-time" mb="xs">
        {t('chart')}
      </Title>
      {chart.error ? <Problem error={chart.error} /> : chart.isPending ? <Loading /> : <TimeChart label={summary} height={210} at={at} axis={formats.day} tip={day} series={series} />}
    </section>
  )
}
