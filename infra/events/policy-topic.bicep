// Global, as its source is, and so without an identity: see events/fleet.bicep for what follows.
param environmentName string
param appId string
param storageId string

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: 'sluice-policy-${environmentName}'
  location: 'global'
  properties: { source: subscription().id, topicType: 'Microsoft.PolicyInsights.PolicyStates' }
}

module toApp 'subscription.bicep' = {
  name: 'sluice-policy-subscription'
  params: {
    environmentName: environmentName
    topicName: topic.name
    eventTypes: [
      'Microsoft.PolicyInsights.PolicyStateCreated'
      'Microsoft.PolicyInsights.PolicyStateChanged'
      'Microsoft.PolicyInsights.PolicyStateDeleted'
    ]
    subjectBeginsWith: ''
    hasIdentity: false
    appId: appId
    storageId: storageId
  }
}
