import { defineTexts } from '../../values/i18n'

export const listTexts = defineTexts({
  en: {
    views: 'Views', saveView: 'Save this view', viewName: 'Name of the view', shareView: 'Everyone may use it', noViews: 'No saved views yet',
    standard: 'Standard view', deleteView: 'Delete view {name}', viewSaved: 'View saved',
    columns: 'Columns', export: 'Export', exportCsv: 'As CSV', exportXlsx: 'As Excel (XLSX)',
    filterCount: { one: '{count} filter', other: '{count} filters' }, noMatches: 'Nothing matches', noMatchesHint: 'Try fewer or other filters.',
    nothing: 'Nothing here yet', loaded: { one: '{count} row', other: '{count} rows' }, loadedMore: { one: '{count} row, more below', other: '{count} rows, more below' },
    loadingMore: 'Loading more…', selected: { one: '{count} selected', other: '{count} selected' }, selectAll: 'Select all loaded rows', selectRow: 'Select row',
    clearSelection: 'Clear selection', bulkEdit: 'Change together', bulkTitle: { one: 'Change {count} row', other: 'Change {count} rows' },
    field: 'Field', newValue: 'New value', before: 'Before', after: 'After', previewHint: 'Nothing is changed until you apply.',
    wouldChange: { one: '{count} row would change', other: '{count} rows would change' }, noChange: 'Nothing would change.',
    applied: { one: '{count} row changed', other: '{count} rows changed' }, andMore: 'and {count} more', newer: 'There is news – show it',
    sortBy: 'Sort by {name}',
  },
  de: {
    views: 'Ansichten', saveView: 'Diese Ansicht speichern', viewName: 'Name der Ansicht', shareView: 'Alle dürfen sie benutzen', noViews: 'Noch keine Ansichten gespeichert',
    standard: 'Standardansicht', deleteView: 'Ansicht {name} löschen', viewSaved: 'Ansicht gespeichert',
    columns: 'Spalten', export: 'Export', exportCsv: 'Als CSV', exportXlsx: 'Als Excel (XLSX)',
    filterCount: { one: '{count} Filter', other: '{count} Filter' }, noMatches: 'Nichts passt dazu', noMatchesHint: 'Versuchen Sie weniger oder andere Filter.',
    nothing: 'Hier ist noch nichts', loaded: { one: '{count} Zeile', other: '{count} Zeilen' }, loadedMore: { one: '{count} Zeile, weitere folgen', other: '{count} Zeilen, weitere folgen' },
    loadingMore: 'Weitere werden geladen …', selected: { one: '{count} ausgewählt', other: '{count} ausgewählt' }, selectAll: 'Alle geladenen Zeilen auswählen', selectRow: 'Zeile auswählen',
    clearSelection: 'Auswahl aufheben', bulkEdit: 'Gemeinsam ändern', bulkTitle: { one: '{count} Zeile ändern', other: '{count} Zeilen ändern' },
    field: 'Feld', newValue: 'Neuer Wert', before: 'Vorher', after: 'Nachher', previewHint: 'Es wird nichts geändert, bis Sie anwenden.',
    wouldChange: { one: '{count} Zeile würde sich ändern', other: '{count} Zeilen würden sich ändern' }, noChange: 'Es würde sich nichts ändern.',
    applied: { one: '{count} Zeile geändert', other: '{count} Zeilen geändert' }, andMore: 'und {count} weitere', newer: 'Es gibt Neues – anzeigen',
    sortBy: 'Sortieren nach {name}',
  },
})
