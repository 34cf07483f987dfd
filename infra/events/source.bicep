// The events of one regional resource: a registry, a storage account, a vault. The topic lies beside it, and has an identity for one
// thing: to lay what could not be delivered into the container dead-letters.
param environmentName string

@description('{ id, location, subjectBeginsWith? }')
param source object
param topicType string
param eventTypes array
param appId string
param storageId string

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: 'sluice-${environmentName}-${uniqueString(source.id)}'
  location: source.location
  identity: { type: 'SystemAssigned' }
  properties: { source: source.id, topicType: topicType }
}

module deadLetters 'dead-letters.bicep' = {
  scope: resourceGroup(split(storageId, '/')[2], split(storageId, '/')[4])
  name: 'sluice-dead-letters-${uniqueString(source.id)}'
  params: { storageName: last(split(storageId, '/')), topicId: topic.id, principalId: topic.identity.principalId }
}

module toApp 'subscription.bicep' = {
  name: 'sluice-subscription-${environmentName}-${uniqueString(source.id)}'
  dependsOn: [deadLetters]
  params: {
    environmentName: environmentName
    topicName: topic.name
    eventTypes: eventTypes
    subjectBeginsWith: source.?subjectBeginsWith ?? ''
    hasIdentity: true
    appId: appId
    storageId: storageId
  }
}
