// The fleet on one page of the portal: Azure Monitor > Workbooks. Its queries are validated by tests; edit the file, not the portal's copy.
param name string
param location string
param tags object
param workspaceId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(workspaceId, 'sluice-fleet')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    category: 'workbook'
    displayName: 'Sluice: fleet (${name})'
    version: 'Notebook/1.0'
    sourceId: workspaceId
    serializedData: replace(loadTextContent('../workbook/fleet.workbook.json'), '__WORKSPACE__', workspaceId)
  }
}

output id string = workbook.id
