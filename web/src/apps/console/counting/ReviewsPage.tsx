import { Alert, Badge, Button, Group, Stack, Switch, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Fragment, useEffect, useRef, useState } from 'react'

import { api } from '../../../api/client'
import { useLiveInvalidate } from '../../../api/live'
import { useMe } from '../../../api/session'
import type { CountReview, CountReviewLine, Page as Rows } from '../../../api/types'
import detail from '../../../ui/detail.module.css'
import { Go } from '../../../ui/Go'
import { Icon } from '../../../ui/Icon'
import { useFormats, useTexts, useWord } from '../../../ui/i18n/useTexts'
import { words } from '../../../ui/i18n/words'
import { notifyDone } from '../../../ui/notify'
import { MoneyText, Quantity, When } from '../../../ui/numbers'
import { Page } from '../../../ui/Page'
import { Empty, Loading, Problem } from '../../../ui/states'
import { isTyping } from '../../../ui/useScanner'
import { sign } from '../../../values/decimal'
import { paths } from '../../../values/paths'
import css from './counting.module.css'
import { reviewTexts } from './texts'

const KEY = ['count-reviews', 'waiting']

/** What waits for approval: the variances of one bin at a time, by keys if one likes. */
export function ReviewsPage() {
  const t = useTexts(reviewTexts)
  const client = useQueryClient()
  const found = useQuery({ queryKey: KEY, queryFn: () => api.get<Rows<CountReview>>('/v1/count-reviews', { query: { state: 'waiting', limit: 200 } }) })
  useLiveInvalidate(['count.changed'], KEY)
  const rows = found.data?.data ?? []
  const [chosen, setChosen] = useState<string | null>(null)
  const [explaining, setExplaining] = useState(false)
  const at = Math.max(0, rows.findIndex((row) => row.id === chosen))
  const row = rows[at]
  const decide = useMutation({
    mutationFn: ({ verb, of }: { verb: 'approve' | 'recount'; of: CountReview }) => api.post<CountReview>(`/v1/bin-counts/{id}/${verb}`, {}, { path: { id: of.id }, ifMatch: of.version }),
    onSuccess: (_, { verb, of }) => {
      notifyDone(t(verb === 'approve' ? 'approved' : 'recounted', { place: of.location_path }))
      setChosen(rows[at + 1]?.id ?? rows[at - 1]?.id ?? null)
    },
    onSettled: () => client.invalidateQueries({ queryKey: KEY }),
  })
  const act = (verb: 'approve' | 'recount') => row && row.can.includes(verb) && !decide.isPending && decide.mutate({ verb, of: row })
  const choose = (id: string | undefined) => {
    if (!id) return
    decide.reset()
    setChosen(id)
  }
  useKeys({ Enter: () => act('approve'), x: () => act('recount'), e: () => setExplaining((on) => !on), ArrowDown: () => choose(rows[at + 1]?.id), ArrowUp: () => choose(rows[at - 1]?.id) })
  return (
    <Page title={t('reviews')} lead={t('reviewsLead')} testId="page-reviews">
      {found.isPending ? <Loading /> : null}
      {found.error ? <Problem error={found.error} retry={() => void found.refetch()} /> : null}
      {found.data && !row ? (
        <Empty title={t('none')} icon="approve">
          {t('noneHint')}
        </Empty>
      ) : null}
      {row ? (
        <div className={css.split}>
          <nav className={`card ${css.picks}`} aria-label={t('reviews')} tabIndex={0}>
            {rows.map((each) => (
              <button key={each.id} type="button" className={css.pick} aria-current={each.id === row.id} onClick={() => choose(each.id)} data-testid="review">
                <Text fw={600} component="span" style={{ overflowWrap: 'anywhere' }}>
                  {each.location_path}
                </Text>
                <span style={{ textAlign: 'right' }}>
                  <Value amount={each.value} />
                </span>
                <Text size="sm" c="dimmed" component="span">
                  {each.counted_by.name} · <When at={each.happened_at} />
                </Text>
                <span>{each.over ? <Badge color="amber">{t('variances', { count: each.variances })}</Badge> : <Badge color="gray">{t('variances', { count: each.variances })}</Badge>}</span>
              </button>
            ))}
          </nav>
          <Details key={row.id} row={row} explaining={explaining} error={decide.error} pending={decide.isPending} act={act} explain={() => setExplaining((on) => !on)} />
        </div>
      ) : null}
    </Page>
  )
}

function useKeys(actions: Record<string, () => unknown>): void {
  const held = useRef(actions)
  useEffect(() => {
    held.current = actions
  })
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event.target) || document.querySelector('[role=dialog]')) return
      // Enter on a link or another button is theirs.
      if (event.key === 'Enter' && (event.target as HTMLElement | null)?.closest('a, button:not([aria-current])')) return
      const action = held.current[event.key]
      if (!action) return
      event.preventDefault()
      action()
    }
    document.addEventListener('keydown', listen)
    return () => document.removeEventListener('keydown', listen)
  }, [])
}

function Value({ amount }: { amount: string | null }) {
  const currency = useMe()?.organisation?.currency ?? 'EUR'
  return amount === null ? <span>–</span> : <MoneyText value={{ amount, currency }} />
}

type DetailsProps = { row: CountReview; explaining: boolean; error: Error | null; pending: boolean; act: (verb: 'approve' | 'recount') => unknown; explain: () => void }

function Details({ row, explaining, error, pending, act, explain }: DetailsProps) {
  const t = useTexts(reviewTexts)
  const [onlyWrong, setOnlyWrong] = useState(true)
  const lines = row.lines.filter((line) => !onlyWrong || sign(line.variance) !== 0)
  return (
    <section className={`card ${detail.panel}`} aria-labelledby="review-place" data-testid="review-details">
      <Stack gap="md">
        <Group justify="space-between" align="flex-start">
          <div>
            <h2 id="review-place" style={{ margin: 0, fontSize: '1.25rem', overflowWrap: 'anywhere' }}>
              {row.location_path}
            </h2>
            <Text size="sm" c="dimmed">
              {t('countedBy')} {row.counted_by.name} · <When at={row.happened_at} /> · {t('round')} {row.round}
            </Text>
          </div>
          <Text size="xl" fw={650} component="div">
            <Value amount={row.value} />
          </Text>
        </Group>
        {row.unknown.length ? (
          <Alert color="amber" icon={<Icon name="alert" />} title={t('unknown')} data-testid="unknown">
            <Text size="sm">{row.unknown.map((each) => `${each.code} × ${each.quantity}`).join(', ')}</Text>
            <Text size="sm">{t('unknownHint')}</Text>
          </Alert>
        ) : null}
        <Switch checked={onlyWrong} onChange={(event) => setOnlyWrong(event.currentTarget.checked)} label={t('onlyWrong')} />
        {lines.length ? (
          <div className={detail.scroll} tabIndex={0}>
            <table className={detail.rows}>
              <thead>
                <tr>
                  <th scope="col">{t('variant')}</th>
                  <th scope="col" className={detail.n}>{t('counted')}</th>
                  <th scope="col" className={detail.n}>{t('book')}</th>
                  <th scope="col" className={detail.n}>{t('variance')}</th>
                  <th scope="col" className={detail.n}>{t('value')}</th>
                </tr>
              </thead>
              <tbody>
                {lines.map((line, index) => (
                  <LineRow key={index} line={line} site={row.site_id} explaining={explaining} />
                ))}
              </tbody>
            </table>
          </div>
        ) : (
          <Text c="dimmed">{t('noVariance')}</Text>
        )}
        {row.can.includes('approve') ? null : <Text c="dimmed" size="sm">{t('own')}</Text>}
        {error ? <Problem error={error} /> : null}
        <Group>
          <Button onClick={() => act('approve')} disabled={!row.can.includes('approve')} loading={pending} aria-keyshortcuts="Enter" data-testid="approve">
            {t('approve')}
          </Button>
          <Button variant="default" onClick={() => act('recount')} disabled={!row.can.includes('recount')} aria-keyshortcuts="x" data-testid="recount">
            {t('recount')}
          </Button>
          <Button variant="subtle" onClick={explain} aria-pressed={explaining} aria-keyshortcuts="e" data-testid="explain">
            {t('explain')}
          </Button>
        </Group>
        <Text size="xs" c="dimmed" visibleFrom="sm">
          {t('keys')}
        </Text>
      </Stack>
    </section>
  )
}

function LineRow({ line, site, explaining }: { line: CountReviewLine; site: string; explaining: boolean }) {
  const t = useTexts(reviewTexts)
  const word = useWord(words)
  const formats = useFormats()
  const wrong = sign(line.variance) !== 0
  return (
    <Fragment>
      <tr>
        <td>
          <Go href={paths.variant(line.variant_id, { site_id: site })}>{line.name}</Go>
          <Text size="xs" c="dimmed">
            {[line.sku, line.lot_code ? t('lot', { lot: line.lot_code }) : '', line.condition === 'available' ? '' : word(line.condition)].filter(Boolean).join(' · ')}
          </Text>
          {line.over ? <Badge size="sm" color="amber">{t('over')}</Badge> : null}
        </td>
        <td className={detail.n}><Quantity value={line.counted} unit={line.unit} /></td>
        <td className={detail.n}><Quantity value={line.book} /></td>
        <td className={detail.n} style={{ fontWeight: wrong ? 650 : undefined }}><Quantity value={line.variance} signed /></td>
        <td className={detail.n}><Value amount={line.value} /></td>
      </tr>
      {explaining ? (
        <tr className={css.explain} data-testid="explained">
          <td colSpan={5}>
            {t(sign(line.moved_since) ? 'explained' : 'explainedStill', { onHand: formats.quantity(line.on_hand), moved: formats.change(line.moved_since), book: formats.quantity(line.book), counted: formats.quantity(line.counted), variance: formats.change(line.variance) })}
            {sign(line.allocated) ? ` ${t('allocatedNote', { allocated: formats.quantity(line.allocated) })}` : ''}
          </td>
        </tr>
      ) : null}
    </Fragment>
  )
}
