// Sluice in one subscription: an inventory. Each line of it is a module; who may do what is in roles.bicep alone.
targetScope = 'subscription'

@minLength(2)
@maxLength(12)
@description('Part of every name, and the environment of azd: small letters and digits.')
param environmentName string

@description('Region of everything here. Clusters may be anywhere.')
param location string

@description('Subscriptions with clusters; empty = this one. One entry a subscription: its id.')
param fleetSubscriptions array = []

@description('Management groups that Resource Graph is asked for in place of subscriptions; the roles are given in fleetSubscriptions all the same.')
param fleetManagementGroups array = []

var fleet = empty(fleetSubscriptions) ? [subscription().subscriptionId] : fleetSubscriptions

@description('Client id of the Microsoft Entra application that people sign in with; empty = the API asks for a function key only.')
param signInClientId string = ''

@description('Keep data services off the public network: VNet, private endpoints and their DNS zones.')
param privateNetwork bool = false

@allowed(['serverless', 'autoscale'])
@description('How Cosmos DB is paid: by request, or by an upper limit of request units that it scales below.')
param cosmosCapacity string = 'serverless'

@minValue(1000)
@description('Upper limit of request units a second that all containers share, where cosmosCapacity is autoscale.')
param cosmosMaxThroughput int = 4000

@description('A second region of Cosmos DB that takes over when the first is lost; only where cosmosCapacity is autoscale.')
param cosmosSecondRegion string = ''

@minValue(40)
@maxValue(1000)
@description('How many instances a function may have at once.')
param maximumInstances int = 100

@allowed(['Recreate', 'RollingUpdate'])
@description('What happens to running instances when code or settings change: all end at once, or in turns (a preview of Flex Consumption).')
param updateStrategy string = 'Recreate'

@allowed(['Continuous7Days', 'Continuous30Days'])
@description('How far back Cosmos DB can be restored, to any second.')
param cosmosBackup string = 'Continuous7Days'

@description('Encrypt Cosmos DB at rest with a key of this vault in place of one of Microsoft. Decide before the first deployment.')
param cosmosCustomerKey bool = false

@description('Email address that the alert rules write to; empty = the rules exist, and tell nobody.')
param alertEmail string = ''

var tags = { 'azd-env-name': environmentName, app: 'sluice' }
// Global names need a suffix of their own; it stays the same for a subscription, an environment and a region.
var suffix = take(uniqueString(subscription().id, environmentName, location), 6)
var name = 'sluice-${environmentName}-${suffix}'

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-sluice-${environmentName}'
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  scope: group
  name: 'identity'
  params: { name: name, location: location, tags: tags }
}

module network 'modules/network.bicep' = if (privateNetwork) {
  scope: group
  name: 'network'
  params: { name: name, location: location, tags: tags }
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  name: 'monitoring'
  params: { name: name, location: location, tags: tags, isPrivate: privateNetwork }
}

module logs 'modules/logs.bicep' = {
  scope: group
  name: 'logs'
  params: {
    name: name
    location: location
    tags: tags
    workspaceName: monitoring.outputs.workspaceName
    isPrivate: privateNetwork
  }
}

module storage 'modules/storage.bicep' = {
  scope: group
  name: 'storage'
  params: {
    name: 'sluice${environmentName}${suffix}'
    location: location
    tags: tags
    isPrivate: privateNetwork
    workspaceId: monitoring.outputs.workspaceId
  }
}

module cosmosKey 'modules/cosmos-key.bicep' = if (cosmosCustomerKey) {
  scope: group
  name: 'cosmos-key'
  params: { name: name, location: location, tags: tags, keyVaultName: keyVault.outputs.name }
}

module cosmos 'modules/cosmos.bicep' = {
  scope: group
  name: 'cosmos'
  params: {
    name: name
    location: location
    tags: tags
    isPrivate: privateNetwork
    capacity: cosmosCapacity
    maxThroughput: cosmosMaxThroughput
    secondRegion: cosmosSecondRegion
    backup: cosmosBackup
    #disable-next-line BCP318 // empty where there is no such key
    keyUri: cosmosCustomerKey ? cosmosKey.outputs.keyUri : ''
    #disable-next-line BCP318
    keyIdentityId: cosmosCustomerKey ? cosmosKey.outputs.identityId : ''
    workspaceId: monitoring.outputs.workspaceId
  }
}

module keyVault 'modules/key-vault.bicep' = {
  scope: group
  name: 'key-vault'
  params: {
    name: 'slc${environmentName}${suffix}'
    location: location
    tags: tags
    isPrivate: privateNetwork
    workspaceId: monitoring.outputs.workspaceId
  }
}

module topic 'modules/event-topic.bicep' = {
  scope: group
  name: 'event-topic'
  params: {
    name: name
    location: location
    tags: tags
    isPrivate: privateNetwork
    workspaceId: monitoring.outputs.workspaceId
  }
}

module endpoints 'modules/private-endpoints.bicep' = if (privateNetwork) {
  scope: group
  name: 'private-endpoints'
  params: {
    name: name
    location: location
    tags: tags
    #disable-next-line BCP318 // both modules have the same condition
    networkId: network.outputs.networkId
    #disable-next-line BCP318
    subnetId: network.outputs.endpointSubnetId
    storageId: storage.outputs.id
    cosmosId: cosmos.outputs.id
    keyVaultId: keyVault.outputs.id
    topicId: topic.outputs.id
  }
}

module privateMonitor 'modules/private-monitor.bicep' = if (privateNetwork) {
  scope: group
  name: 'private-monitor'
  params: {
    name: name
    location: location
    tags: tags
    #disable-next-line BCP318 // all three have the same condition
    networkId: network.outputs.networkId
    #disable-next-line BCP318
    subnetId: network.outputs.endpointSubnetId
    #disable-next-line BCP318
    blobZoneId: endpoints.outputs.blobZoneId
    resourceIds: [monitoring.outputs.workspaceId, monitoring.outputs.insightsId, logs.outputs.endpointId]
  }
}

module roles 'modules/roles.bicep' = {
  scope: group
  name: 'roles'
  params: {
    principalId: identity.outputs.principalId
    storageName: storage.outputs.name
    cosmosName: cosmos.outputs.name
    keyVaultName: keyVault.outputs.name
    keyName: keyVault.outputs.keyName
    insightsName: monitoring.outputs.insightsName
    logsRuleName: logs.outputs.ruleName
    topicName: topic.outputs.name
  }
}

module fleetRoles 'modules/fleet-role.bicep' = [
  for id in fleet: {
    scope: subscription(id)
    name: 'sluice-fleet-role-${environmentName}'
    params: { principalId: identity.outputs.principalId, environmentName: environmentName }
  }
]

module app 'modules/app.bicep' = {
  scope: group
  name: 'app'
  dependsOn: [roles]
  params: {
    name: name
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    identityPrincipalId: identity.outputs.principalId
    storageName: storage.outputs.name
    cosmosEndpoint: cosmos.outputs.endpoint
    keyId: keyVault.outputs.keyId
    insightsConnectionString: monitoring.outputs.insightsConnectionString
    workspaceId: monitoring.outputs.workspaceId
    logsEndpoint: logs.outputs.endpoint
    logsRule: logs.outputs.ruleId
    fleetSubscriptions: empty(fleetManagementGroups) ? fleet : []
    fleetManagementGroups: fleetManagementGroups
    signInClientId: signInClientId
    maximumInstances: maximumInstances
    updateStrategy: updateStrategy
    #disable-next-line BCP318 // an empty id where there is no network
    subnetId: privateNetwork ? network.outputs.appSubnetId : ''
  }
}

module workbook 'modules/workbook.bicep' = {
  scope: group
  name: 'workbook'
  dependsOn: [logs]
  params: { name: name, location: location, tags: tags, workspaceId: monitoring.outputs.workspaceId }
}

module alerts 'modules/alerts.bicep' = {
  scope: group
  name: 'alerts'
  dependsOn: [logs] // queries name its tables
  params: {
    name: name
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    email: alertEmail
  }
}

output AZURE_RESOURCE_GROUP string = group.name
output SLUICE_IDENTITY string = identity.outputs.principalId
output SLUICE_APP string = app.outputs.name
output SLUICE_APP_ID string = app.outputs.id
output SLUICE_STORAGE_ID string = storage.outputs.id
output SLUICE_URL string = app.outputs.url
output SLUICE_CONFIG string = storage.outputs.configUrl
output SLUICE_KEY_VAULT string = keyVault.outputs.name
output SLUICE_KEY_VAULT_ID string = keyVault.outputs.id
output SLUICE_EVENTS_TOPIC string = topic.outputs.endpoint
output SLUICE_FLEET_SUBSCRIPTIONS string = string(fleet)
