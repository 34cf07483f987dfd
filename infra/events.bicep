// Azure's events for the app: run after the code is deployed, since Event Grid asks whether the function is there. `azd deploy` does.
// docs/azure-events.md says what each event does, and why they come to a function and not to a queue.
targetScope = 'subscription'

@description('The same as of main.bicep: several environments may listen to one source.')
param environmentName string

@description('Region of the vault, and of the resource groups for system topics in other subscriptions.')
param location string

@description('Resource id of the function app.')
param appId string

@description('Resource id of the storage account that keeps what could not be delivered within a day.')
param storageId string

@description('Resource id of the vault whose secrets are told before they expire; empty = none.')
param keyVaultId string = ''

@description('Subscriptions with clusters; empty = this one.')
param fleetSubscriptions array = []

@description('Also take what Azure Policy finds. Only one system topic for it may exist in a subscription.')
param policyEvents bool = false

@description('Registries whose pushes move clusters: { id, location, subjectBeginsWith? }; a subject is <repository>:<tag>.')
param registries array = []

@description('Storage accounts whose blobs move clusters: { id, location, subjectBeginsWith? }, such as /blobServices/default/containers/fleet/.')
param storageAccounts array = []

var fleet = empty(fleetSubscriptions) ? [subscription().subscriptionId] : fleetSubscriptions
var policed = policyEvents ? fleet : []
var vaults = empty(keyVaultId) ? [] : [{ id: keyVaultId, location: location }]

module subscriptions 'events/fleet.bicep' = [
  for id in fleet: {
    scope: subscription(id)
    name: 'sluice-fleet-events-${environmentName}'
    params: { environmentName: environmentName, appId: appId }
  }
]

module policies 'events/policy.bicep' = [
  for id in policed: {
    scope: subscription(id)
    name: 'sluice-policy-events-${environmentName}'
    params: { environmentName: environmentName, location: location, appId: appId, storageId: storageId }
  }
]

module pushes 'events/source.bicep' = [
  for (source, i) in registries: {
    scope: resourceGroup(split(source.id, '/')[2], split(source.id, '/')[4])
    name: 'sluice-registry-events-${environmentName}-${i}'
    params: {
      environmentName: environmentName
      source: source
      topicType: 'Microsoft.ContainerRegistry.Registries'
      eventTypes: ['Microsoft.ContainerRegistry.ImagePushed']
      appId: appId
      storageId: storageId
    }
  }
]

module blobs 'events/source.bicep' = [
  for (source, i) in storageAccounts: {
    scope: resourceGroup(split(source.id, '/')[2], split(source.id, '/')[4])
    name: 'sluice-storage-events-${environmentName}-${i}'
    params: {
      environmentName: environmentName
      source: source
      topicType: 'Microsoft.Storage.StorageAccounts'
      eventTypes: ['Microsoft.Storage.BlobCreated', 'Microsoft.Storage.BlobDeleted', 'Microsoft.Storage.BlobRenamed']
      appId: appId
      storageId: storageId
    }
  }
]

module secrets 'events/source.bicep' = [
  for (source, i) in vaults: {
    scope: resourceGroup(split(source.id, '/')[2], split(source.id, '/')[4])
    name: 'sluice-vault-events-${environmentName}-${i}'
    params: {
      environmentName: environmentName
      source: source
      topicType: 'Microsoft.KeyVault.vaults'
      eventTypes: ['Microsoft.KeyVault.SecretNearExpiry', 'Microsoft.KeyVault.SecretExpired']
      appId: appId
      storageId: storageId
    }
  }
]
