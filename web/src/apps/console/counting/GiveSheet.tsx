import { Button, Group, Modal, Select, Stack, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '../../../api/client'
import { readAll } from '../../../api/places'
import type { BinCount, CountSheet, User } from '../../../api/types'
import detail from '../../../ui/detail.module.css'
import { useShared, useTexts } from '../../../ui/i18n/useTexts'
import { notifyDone } from '../../../ui/notify'
import { Loading, Problem } from '../../../ui/states'
import { planTexts } from './texts'

/** Who counts the bins of a sheet: give the free ones to somebody, take one back. */
export function GiveSheet({ sheet, onClose }: { sheet: CountSheet; onClose: () => void }) {
  const s = useShared()
  return (
    <Modal opened onClose={onClose} title={sheet.name} size="lg" closeButtonProps={{ 'aria-label': s('close') }}>
      <Bins sheet={sheet} onClose={onClose} />
    </Modal>
  )
}

function Bins({ sheet, onClose }: { sheet: CountSheet; onClose: () => void }) {
  const t = useTexts(planTexts)
  const client = useQueryClient()
  const [person, setPerson] = useState<string | null>(null)
  const bins = useQuery({ queryKey: ['counting', 'bin-counts', sheet.id], queryFn: () => readAll<BinCount>('/v1/bin-counts', { sheet_id: sheet.id, todo: 'true' }) })
  const people = useQuery({ queryKey: ['users', 'active'], queryFn: () => readAll<User>('/v1/users', { active: 'true' }) })
  const again = () => client.invalidateQueries({ queryKey: ['counting'] })
  const free = (bins.data ?? []).filter((bin) => bin.can.includes('claim'))
  const give = useMutation({
    mutationFn: async (userId: string) => {
      for (const bin of free) await api.post<BinCount>('/v1/bin-counts/{id}/claim', { user_id: userId }, { path: { id: bin.id }, ifMatch: bin.version })
      return free.length
    },
    onSuccess: async (count) => {
      notifyDone(t('given', { count, name: people.data?.find((each) => each.id === person)?.name ?? '' }))
      await again()
      onClose()
    },
    onError: again, // those given before the refusal stay given
  })
  const back = useMutation({ mutationFn: (bin: BinCount) => api.post<BinCount>('/v1/bin-counts/{id}/release', {}, { path: { id: bin.id }, ifMatch: bin.version }), onSettled: again })
  const problem = bins.error ?? people.error
  if (problem) return <Problem error={problem} retry={() => void again()} />
  if (!bins.data || !people.data) return <Loading />
  return (
    <Stack data-testid="give-sheet">
      {bins.data.length ? (
        <div className={detail.scroll} tabIndex={0} role="group" aria-label={t('bins')}>
          <table className={detail.rows}>
            <thead>
              <tr>
                <th scope="col">{t('place')}</th>
                <th scope="col">{t('counter')}</th>
              </tr>
            </thead>
            <tbody>
              {bins.data.map((bin) => (
                <tr key={bin.id}>
                  <th scope="row">{bin.location_path}</th>
                  <td>
                    <Group gap="xs" justify="space-between" wrap="nowrap">
                      {bin.claimed_by?.name ?? <Text size="sm" c="dimmed" component="span">{t('nobody')}</Text>}
                      {bin.can.includes('release') ? (
                        <Button variant="subtle" size="compact-sm" loading={back.isPending && back.variables.id === bin.id} onClick={() => back.mutate(bin)} aria-label={t('takeBackOf', { place: bin.location_path })}>
                          {t('takeBack')}
                        </Button>
                      ) : null}
                    </Group>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <Text c="dimmed">{t('nothingLeft')}</Text>
      )}
      {give.error ? <Problem error={give.error} /> : null}
      {back.error ? <Problem error={back.error} /> : null}
      {free.length ? (
        <Group align="flex-end">
          <Select label={t('giveTo')} data={people.data.map((each) => ({ value: each.id, label: each.name }))} value={person} onChange={setPerson} searchable style={{ flex: 1 }} data-testid="give-person" />
          <Button disabled={!person} loading={give.isPending} onClick={() => person && give.mutate(person)} data-testid="give-now">{t('give', { count: free.length })}</Button>
        </Group>
      ) : null}
    </Stack>
  )
}
