import { Button, Group, NumberInput, SegmentedControl, SimpleGrid, Stack, Text } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '../../../api/client'
import type { CountPolicy } from '../../../api/types'
import { useTexts } from '../../../ui/i18n/useTexts'
import { notifyDone } from '../../../ui/notify'
import { Loading, Problem } from '../../../ui/states'
import { planTexts } from './texts'

const SHARES = [['share_a', 'shareA'], ['share_b', 'shareB']] as const
const DAYS = [['days_a', 'daysA'], ['days_b', 'daysB'], ['days_c', 'daysC']] as const
const BOUNDS = [['tolerance_units', 'toleranceUnits'], ['tolerance_percent', 'tolerancePercent'], ['tolerance_value', 'toleranceValue']] as const

/** How the organisation counts: classes, cadences, tolerances, who counts again. */
export function PolicyForm({ onDone }: { onDone: () => void }) {
  const found = useQuery({ queryKey: ['counting', 'policy'], queryFn: () => api.get<CountPolicy>('/v1/counting/policy'), staleTime: 0, gcTime: 0 })
  if (found.error) return <Problem error={found.error} retry={() => void found.refetch()} />
  return found.data ? <Fields policy={found.data} onDone={onDone} /> : <Loading />
}

type Draft = Record<string, string | number>

function Fields({ policy, onDone }: { policy: CountPolicy; onDone: () => void }) {
  const t = useTexts(planTexts)
  const [draft, setDraft] = useState<Draft>(() => Object.fromEntries(Object.entries(policy).map(([name, value]) => [name, value ?? ''])))
  const set = (name: string) => (value: string | number) => setDraft((before) => ({ ...before, [name]: value }))
  const save = useMutation({
    mutationFn: () =>
      api.patch(
        '/v1/counting/policy',
        {
          ...Object.fromEntries(SHARES.map(([name]) => [name, String(draft[name])])),
          ...Object.fromEntries(DAYS.map(([name]) => [name, Number(draft[name])])),
          ...Object.fromEntries(BOUNDS.map(([name]) => [name, draft[name] === '' ? null : String(draft[name])])),
          recount_by: draft.recount_by,
          rounds: Number(draft.rounds),
        },
        { ifMatch: policy.version },
      ),
    onSuccess: () => {
      notifyDone(t('saved'))
      onDone()
    },
  })
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        save.mutate()
      }}
    >
      <Stack data-testid="policy">
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          {SHARES.map(([name, label]) => (
            <NumberInput key={name} label={t(label)} value={draft[name]} onChange={set(name)} min={0} max={100} decimalScale={2} required withAsterisk={false} />
          ))}
        </SimpleGrid>
        <SimpleGrid cols={{ base: 1, xs: 3 }}>
          {DAYS.map(([name, label]) => (
            <NumberInput key={name} label={t(label)} value={draft[name]} onChange={set(name)} min={1} max={3650} allowDecimal={false} required withAsterisk={false} />
          ))}
        </SimpleGrid>
        <Text size="sm">{t('tolerance')}</Text>
        <SimpleGrid cols={{ base: 1, xs: 3 }}>
          {BOUNDS.map(([name, label]) => (
            <NumberInput key={name} label={t(label)} value={draft[name]} onChange={set(name)} min={0} decimalScale={3} />
          ))}
        </SimpleGrid>
        <Group align="flex-end">
          <div>
            <Text size="sm" fw={500} id="recount-by">
              {t('recountBy')}
            </Text>
            <SegmentedControl aria-labelledby="recount-by" value={String(draft.recount_by)} onChange={set('recount_by')} data={[{ value: 'other', label: t('other') }, { value: 'anyone', label: t('anyone') }]} />
          </div>
          <NumberInput label={t('rounds')} value={draft.rounds} onChange={set('rounds')} min={1} max={5} allowDecimal={false} w={140} required withAsterisk={false} />
        </Group>
        {save.error ? <Problem error={save.error} /> : null}
        <Group justify="flex-end">
          <Button type="submit" loading={save.isPending} data-testid="save-policy">
            {t('save')}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
