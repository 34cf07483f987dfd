// A private way to Azure Monitor: what the app logs, and the rows that it tells, stay on the network (AMPLS). Names of zones:
// learn.microsoft.com, private endpoint DNS; the fifth, of blobs, is the one that private-endpoints.bicep made.
param name string
param location string
param tags object
param networkId string
param subnetId string
param blobZoneId string

@description('Workspace, Application Insights and data collection endpoint: what may be written through here.')
param resourceIds array

var domains = [
  'privatelink.monitor.azure.com'
  'privatelink.oms.opinsights.azure.com'
  'privatelink.ods.opinsights.azure.com'
  'privatelink.agentsvc.azure-automation.net'
]

// Writing goes through here only, for whoever is on this network; people and alert rules may query from elsewhere.
resource scope 'Microsoft.Insights/privateLinkScopes@2021-07-01-preview' = {
  name: 'ampls-${name}'
  location: 'global'
  tags: tags
  properties: { accessModeSettings: { ingestionAccessMode: 'PrivateOnly', queryAccessMode: 'Open' } }
}

@batchSize(1) // A scope takes one at a time.
resource members 'Microsoft.Insights/privateLinkScopes/scopedResources@2021-07-01-preview' = [
  for id in resourceIds: {
    parent: scope
    name: last(split(id, '/'))
    properties: { linkedResourceId: id }
  }
]

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for domain in domains: {
    name: domain
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (domain, i) in domains: {
    parent: zones[i]
    name: name
    location: 'global'
    properties: { registrationEnabled: false, virtualNetwork: { id: networkId } }
  }
]

resource way 'Microsoft.Network/privateEndpoints@2024-05-01' = {
  name: 'pe-monitor-${name}'
  location: location
  tags: tags
  dependsOn: [members]
  properties: {
    subnet: { id: subnetId }
    privateLinkServiceConnections: [
      { name: 'azuremonitor', properties: { privateLinkServiceId: scope.id, groupIds: ['azuremonitor'] } }
    ]
  }
}

resource names 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01' = {
  parent: way
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      { name: 'monitor', properties: { privateDnsZoneId: zones[0].id } }
      { name: 'oms', properties: { privateDnsZoneId: zones[1].id } }
      { name: 'ods', properties: { privateDnsZoneId: zones[2].id } }
      { name: 'agents', properties: { privateDnsZoneId: zones[3].id } }
      { name: 'blobs', properties: { privateDnsZoneId: blobZoneId } }
    ]
  }
}
