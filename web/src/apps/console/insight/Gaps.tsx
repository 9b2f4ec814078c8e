import { Anchor, Text, Title } from '@mantine/core'

import type { Gap } from '../../../api/types'
import { Go } from '../../../ui/Go'
import { useShared, useTexts } from '../../../ui/i18n/useTexts'
import { Quantity } from '../../../ui/numbers'
import { paths } from '../../../values/paths'
import css from './insight.module.css'
import { insightTexts } from './texts'

const SHOWN = 8

export function Gaps({ title, none, rows, all, showMinimum, testId }: { title: string; none: string; rows: Gap[]; all: string; showMinimum?: boolean; testId: string }) {
  const t = useTexts(insightTexts)
  const s = useShared()
  return (
    <section className={`card ${css.panel}`} aria-label={title} data-testid={testId}>
      <div className={css.panelHead}>
        <Title order={2}>{title}</Title>
        {rows.length ? (
          <Anchor component={Go} href={all} size="sm">
            {t('seeAll')}
          </Anchor>
        ) : null}
      </div>
      {rows.length ? (
        <table className={css.rows}>
          <thead>
            <tr>
              <th scope="col">{s('variant')}</th>
              <th scope="col">{s('site')}</th>
              <th scope="col">{s('available')}</th>
              {showMinimum ? <th scope="col">{s('minimum')}</th> : null}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, SHOWN).map((row) => (
              <tr key={`${row.variant_id} ${row.site_id}`}>
                <td className={css.name}>
                  <Go className="plain" href={paths.variant(row.variant_id, { site_id: row.site_id })}>
                    {row.name}
                  </Go>
                </td>
                <td>{row.site_code}</td>
                <td>
                  <Quantity value={row.available} minimum={row.minimum} flash />
                </td>
                {showMinimum ? (
                  <td>
                    <Quantity value={row.minimum} />
                  </td>
                ) : null}
              </tr>
            ))}
          </tbody>
        </table>
      ) : (
        <Text c="dimmed" size="sm">
          {none}
        </Text>
      )}
    </section>
  )
}
