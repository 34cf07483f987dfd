// What Azure Policy finds in one subscription. Its topic must lie in a resource group of the same subscription.
targetScope = 'subscription'

param environmentName string
param location string
param appId string
param storageId string

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-sluice-events-${environmentName}'
  location: location
}

module topic 'policy-topic.bicep' = {
  scope: group
  name: 'sluice-policy-topic'
  params: { environmentName: environmentName, appId: appId, storageId: storageId }
}
