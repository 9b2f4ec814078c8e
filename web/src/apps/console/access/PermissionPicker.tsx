import { Button, Checkbox, Group, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'

import { api } from '../../../api/client'
import { useMay } from '../../../api/session'
import type { Page, Permission } from '../../../api/types'
import { useTexts, useWord } from '../../../ui/i18n/useTexts'
import { Loading, Problem } from '../../../ui/states'
import { peopleTexts, permissionTexts } from './peopleTexts'

type Props = { label: string; value: string[]; onChange: (next: string[]) => void; readOnly?: boolean; error?: string | null }

/** Permissions by area. What the reader lacks himself he cannot hand out, so it cannot be ticked. */
export function PermissionPicker({ label, value, onChange, readOnly, error }: Props) {
  const t = useTexts(peopleTexts)
  const word = useWord(permissionTexts)
  const may = useMay()
  const found = useQuery({ queryKey: ['permissions'], queryFn: () => api.get<Page<Permission>>('/v1/permissions'), staleTime: Infinity })
  if (found.error) return <Problem error={found.error} retry={() => void found.refetch()} />
  if (!found.data) return <Loading />
  const all = found.data.data.map((each) => each.name)
  const chosen = new Set(value)
  const toggle = (names: string[], on: boolean) => {
    const next = new Set(chosen)
    for (const name of names) if (on) next.add(name)
    else next.delete(name)
    onChange(all.filter((name) => next.has(name)))
  }
  return (
    <fieldset style={{ border: 0, margin: 0, padding: 0, minWidth: 0 }}>
      <legend style={{ padding: 0, fontSize: '0.875rem', fontWeight: 600, width: '100%' }}>{label}</legend>
      <Group justify="space-between" mb={6}>
        <Text size="sm" c="dimmed">
          {t('groupChosen', { count: chosen.size, total: all.length })}
        </Text>
        {readOnly ? null : (
          <Group gap={4}>
            <Button size="compact-xs" variant="subtle" onClick={() => toggle(all.filter((name) => may(name)), true)}>
              {t('all')}
            </Button>
            <Button size="compact-xs" variant="subtle" onClick={() => onChange([])}>
              {t('noneOf')}
            </Button>
          </Group>
        )}
      </Group>
      <Stack gap={6}>
        {all.map((name) => (
          <Checkbox
            key={name}
            size="sm"
            label={word(name)}
            description={<span className="mono">{name}</span>}
            checked={chosen.has(name)}
            disabled={readOnly || (!chosen.has(name) && !may(name))}
            onChange={(event) => toggle([name], event.currentTarget.checked)}
            data-testid={`permission-${name}`}
          />
        ))}
      </Stack>
      {error ? <Text size="sm" className="bad" role="alert" mt={4}>{error}</Text> : null}
    </fieldset>
  )
}
