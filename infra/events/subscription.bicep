// One subscription of a system topic: to the function, tried again for a day, and then laid aside where the topic has an identity for it.
param environmentName string
param topicName string
param eventTypes array
param subjectBeginsWith string
param hasIdentity bool
param appId string
param storageId string

var deadLetters = {
  identity: { type: 'SystemAssigned' }
  deadLetterDestination: {
    endpointType: 'StorageBlob'
    properties: { resourceId: storageId, blobContainerName: 'dead-letters' }
  }
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName
}

resource events 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'sluice-${environmentName}'
  properties: {
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    destination: {
      endpointType: 'AzureFunction'
      // One event an invocation: each is taken or given back by itself.
      properties: { resourceId: '${appId}/functions/on_azure_event', maxEventsPerBatch: 1 }
    }
    filter: { includedEventTypes: eventTypes, subjectBeginsWith: subjectBeginsWith, isSubjectCaseSensitive: false }
    retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 }
    deadLetterWithResourceIdentity: hasIdentity ? deadLetters : null
  }
}
