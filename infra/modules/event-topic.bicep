// Where Sluice tells its own events, as CloudEvents, for whatever subscribes to them: the address of a provider of type eventgrid.
param name string
param location string
param tags object
param isPrivate bool
param workspaceId string

resource topic 'Microsoft.EventGrid/topics@2025-02-15' = {
  name: 'evgt-${name}'
  location: location
  tags: tags
  // For your subscriptions of it: with this identity they deliver to queues and event hubs without a key.
  identity: { type: 'SystemAssigned' }
  properties: {
    inputSchema: 'CloudEventSchemaV1_0'
    disableLocalAuth: true
    minimumTlsVersionAllowed: '1.2'
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: topic
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'DeliveryFailures', enabled: true }, { category: 'PublishFailures', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

output id string = topic.id
output name string = topic.name
output endpoint string = topic.properties.endpoint
