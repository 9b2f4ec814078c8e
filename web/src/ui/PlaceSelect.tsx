import { Select } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '../api/client'
import type { Location, Page } from '../api/types'

type Props = { label: string; value: string | null; onChange: (id: string | null) => void; /** Offered before anything is typed. */ first?: { value: string; label: string }[]; required?: boolean; testId?: string }

/** A place by code or name; asks the server, because there may be ten thousand bins. */
export function PlaceSelect({ label, value, onChange, first = [], required, testId }: Props) {
  const [typed, setTyped] = useState('')
  const [asked] = useDebouncedValue(typed.trim(), 150)
  const known = first.find((option) => option.label === typed)
  const found = useQuery({
    queryKey: ['places', asked],
    queryFn: ({ signal }) => api.get<Page<Location>>('/v1/locations', { query: { q: asked, limit: 20 }, signal }),
    enabled: !known,
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  })
  const options = new Map(first.map((option) => [option.value, option.label]))
  for (const place of found.data?.data ?? []) if (!options.has(place.id)) options.set(place.id, place.path === place.code ? `${place.code} · ${place.name}` : place.path)
  return (
    <Select
      label={label}
      data={[...options].map(([id, name]) => ({ value: id, label: name }))}
      value={value}
      onChange={onChange}
      searchValue={typed}
      onSearchChange={setTyped}
      searchable
      // The server has already chosen; our own list is matched here.
      filter={({ options: all, search }) => (known || !search ? all : all.filter((option) => 'value' in option && (`${option.label}`.toLowerCase().includes(search.toLowerCase()) || found.data?.data.some((place) => place.id === option.value))))}
      required={required}
      withAsterisk={false}
      data-testid={testId}
    />
  )
}
