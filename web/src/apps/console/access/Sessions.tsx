import { Badge, Button, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'

import { api } from '../../../api/client'
import type { Session } from '../../../api/types'
import css from '../../../ui/detail.module.css'
import { useTexts } from '../../../ui/i18n/useTexts'
import { When } from '../../../ui/numbers'
import { Problem } from '../../../ui/states'
import { accountTexts } from './accountTexts'

/** "Firefox on Linux" out of a browser's long name; the whole name stays as a hint. */
export function browserName(agent: string): string {
  const browser = /Edg\//.test(agent) ? 'Edge' : /Firefox\//.test(agent) ? 'Firefox' : /Chrom(e|ium)\//.test(agent) ? 'Chrome' : /Safari\//.test(agent) ? 'Safari' : null
  const system = /Windows/.test(agent) ? 'Windows' : /Android/.test(agent) ? 'Android' : /iPhone|iPad/.test(agent) ? 'iOS' : /Mac OS/.test(agent) ? 'macOS' : /Linux/.test(agent) ? 'Linux' : null
  return [browser, system].filter(Boolean).join(' · ') || agent.slice(0, 40) || '–'
}

/** Where somebody is signed in, each with a way to end it. */
export function Sessions({ rows, again }: { rows: Session[]; again: () => void }) {
  const t = useTexts(accountTexts)
  const end = useMutation({ mutationFn: (id: string) => api.delete('/v1/sessions/{id}', { path: { id } }), onSuccess: again })
  return (
    <>
      <table className={css.rows} data-testid="sessions">
        <tbody>
          {rows.map((row) => (
            <tr key={row.id}>
              <th scope="row" title={row.user_agent}>
                {browserName(row.user_agent)} {row.current ? <Badge color="spruce">{t('thisOne')}</Badge> : null}
                <Text size="xs" c="dimmed" fw={400}>
                  {row.ip}
                </Text>
              </th>
              <td>
                <When at={row.seen_at} />
              </td>
              <td className={css.n}>
                {row.current ? null : (
                  <Button size="compact-sm" variant="default" loading={end.isPending && end.variables === row.id} onClick={() => end.mutate(row.id)} aria-label={`${t('endSession')}: ${browserName(row.user_agent)}, ${row.ip}`}>
                    {t('endSession')}
                  </Button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {end.error ? <Problem error={end.error} /> : null}
    </>
  )
}
