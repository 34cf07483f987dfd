// What concerns the clusters of one subscription, and nothing else: a subscription's events are many. There is no dead letter: a
// subscription's topic is global and can have no identity, and nobody says how Event Grid would write into an account without keys
// then. A dead letter that is refused would refuse the subscription; the sweeps find what was not told.
targetScope = 'subscription'

param environmentName string
param appId string

resource events 'Microsoft.EventGrid/eventSubscriptions@2025-02-15' = {
  name: 'sluice-${environmentName}'
  properties: {
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    destination: {
      endpointType: 'AzureFunction'
      // One event an invocation: each is taken or given back by itself.
      properties: { resourceId: '${appId}/functions/on_azure_event', maxEventsPerBatch: 1 }
    }
    filter: {
      includedEventTypes: [
        'Microsoft.Resources.ResourceWriteSuccess'
        'Microsoft.Resources.ResourceWriteFailure'
        'Microsoft.Resources.ResourceWriteCancel'
        'Microsoft.Resources.ResourceDeleteSuccess'
      ]
      enableAdvancedFilteringOnArrays: true
      advancedFilters: [
        {
          operatorType: 'StringIn'
          key: 'data.operationName'
          values: [
            'Microsoft.KubernetesConfiguration/fluxConfigurations/write'
            'Microsoft.KubernetesConfiguration/fluxConfigurations/delete'
            'Microsoft.KubernetesConfiguration/extensions/write'
            'Microsoft.KubernetesConfiguration/extensions/delete'
            'Microsoft.Kubernetes/connectedClusters/write'
            'Microsoft.Kubernetes/connectedClusters/delete'
          ]
        }
      ]
    }
    retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 }
  }
}
