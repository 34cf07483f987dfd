// A private way to each data service, and the DNS zone that leads there. Names of zones: learn.microsoft.com, private endpoint DNS.
param name string
param location string
param tags object
param networkId string
param subnetId string
param storageId string
param cosmosId string
param keyVaultId string
param topicId string

var storageSuffix = environment().suffixes.storage
var ways = [
  { service: 'blob', target: storageId, zone: 'privatelink.blob.${storageSuffix}' }
  { service: 'queue', target: storageId, zone: 'privatelink.queue.${storageSuffix}' }
  { service: 'table', target: storageId, zone: 'privatelink.table.${storageSuffix}' }
  { service: 'Sql', target: cosmosId, zone: 'privatelink.documents.azure.com' }
  { service: 'vault', target: keyVaultId, zone: 'privatelink.vaultcore.azure.net' }
  { service: 'topic', target: topicId, zone: 'privatelink.eventgrid.azure.net' }
]

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for way in ways: {
    name: way.zone
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (way, i) in ways: {
    parent: zones[i]
    name: name
    location: 'global'
    properties: { registrationEnabled: false, virtualNetwork: { id: networkId } }
  }
]

resource endpoints 'Microsoft.Network/privateEndpoints@2024-05-01' = [
  for way in ways: {
    name: 'pe-${toLower(way.service)}-${name}'
    location: location
    tags: tags
    properties: {
      subnet: { id: subnetId }
      privateLinkServiceConnections: [
        { name: way.service, properties: { privateLinkServiceId: way.target, groupIds: [way.service] } }
      ]
    }
  }
]

resource names 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01' = [
  for (way, i) in ways: {
    parent: endpoints[i]
    name: 'default'
    properties: { privateDnsZoneConfigs: [{ name: way.service, properties: { privateDnsZoneId: zones[i].id } }] }
  }
]

output blobZoneId string = zones[0].id
